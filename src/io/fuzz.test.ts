import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TensorMap } from '../tensor/tensor.ts';
import { readNpy } from './numpy/npy.ts';
import { readNpz } from './numpy/npz.ts';
import { readReprodLog } from './numpy/reprodLog.ts';
import { unpickle } from './pickle/pickle.ts';
import { plainGlobals } from './pickle/pickleGlobals.ts';
import { recordingOf } from './recording.ts';
import { readSafetensors } from './safetensors/safetensors.ts';
import {
  expectSameMap,
  expectWellFormed,
  mutations,
  resultOrRefusal,
  torchFile,
  vector,
} from './testdata/support.ts';
import { weightsOf } from './weights.ts';

const WHERE = 'damaged file';
const globals = new Map(plainGlobals);

const wellFormed = (tensors: TensorMap | undefined): void => {
  for (const t of tensors?.values() ?? []) expectWellFormed(t);
};

/** Damaged bytes of every format give a typed refusal or a well-formed result, nothing else. */
describe('damaged files without a checksum', () => {
  const npy = (bytes: Uint8Array) => new Map([['a', readNpy(bytes, WHERE)]]);
  const log = (bytes: Uint8Array) => readReprodLog(bytes, WHERE);
  const cases: readonly (readonly [string, (bytes: Uint8Array) => TensorMap])[] = [
    ['npy/f4', npy],
    ['npy/i8-fortran-big', npy],
    ['npy/f4-v3', npy],
    ['reprod/protocol0', log],
    ['reprod/protocol2', log],
    ['reprod/protocol3', log],
    ['reprod/protocol5', log],
    ['safetensors/two', (bytes) => readSafetensors(bytes, WHERE).tensors],
    ['torch/beside/everything, legacy', (bytes) => recordingOf(bytes, WHERE).tensors],
    ['torch/nested/list, legacy', (bytes) => recordingOf(bytes, WHERE).tensors],
    ['torch/unchecked', (bytes) => recordingOf(bytes, WHERE).tensors],
  ];
  const fileOf = (name: string) =>
    name.startsWith('torch/') ? torchFile(name.slice('torch/'.length)) : vector(name);
  it.each(cases)('%s', (name, read) => {
    fc.assert(
      fc.property(mutations(fileOf(name)), (bytes) => {
        wellFormed(resultOrRefusal(() => read(bytes)));
      }),
      { numRuns: 300 },
    );
  });

  it.each([0, 2, 4])('pickle/protocol%s', (protocol) => {
    fc.assert(
      fc.property(mutations(vector(`pickle/protocol${protocol}`)), (bytes) => {
        resultOrRefusal(() => unpickle(bytes, WHERE, { globals }));
      }),
      { numRuns: 300 },
    );
  });
});

/** Zips carry a CRC for every entry: whatever still opens must be exactly what was written. */
describe('damaged zip files', () => {
  const npz = (bytes: Uint8Array) => readNpz(bytes, WHERE);
  const checkpoint = (bytes: Uint8Array) => weightsOf(bytes, WHERE).tensors;
  const cases: readonly (readonly [string, (bytes: Uint8Array) => TensorMap])[] = [
    ['npz/stored', npz],
    ['npz/deflated', npz],
    ['torch/state_dict', checkpoint],
    ['torch/views', checkpoint],
  ];
  it.each(cases)('%s', (name, read) => {
    const file = vector(name);
    const whole = read(file);
    fc.assert(
      fc.property(mutations(file), (bytes) => {
        const tensors = resultOrRefusal(() => read(bytes));
        if (tensors !== undefined) expectSameMap(tensors, whole);
      }),
      { numRuns: 300 },
    );
  });
});

it('bytes of no format at all', () => {
  const readers = [readNpy, readNpz, readReprodLog, readSafetensors, weightsOf, recordingOf];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const read of readers) expect(resultOrRefusal(() => read(bytes, WHERE))).toBeUndefined();
    }),
  );
});
