import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors.ts';
import { tensor } from '../../tensor/tensor.ts';
import { concatBytes } from '../concat.ts';
import { codeOf } from '../numpy/dtypeCode.ts';
import { type PickleNode, pickleChunks } from '../pickle/pickleWriter.ts';
import { recordingOf } from '../recording.ts';
import { anyMap, counting, dtypes, expectSameMap, vector } from '../testdata/support.ts';
import { weightsOf } from '../weights.ts';
import { readZip } from '../zip/zip.ts';
import { writeTorchCheckpoint } from './torchCheckpointWriter.ts';

const readTorchCheckpoint = (bytes: Uint8Array, where: string) => weightsOf(bytes, where).tensors;
const read = (name: string) => readTorchCheckpoint(vector(name), name);
const floats = (shape: readonly number[], values: readonly number[]) =>
  tensor('float32', shape, Float32Array.from(values));

describe('checkpoints PyTorch wrote', () => {
  it("a module's state_dict, with its metadata left aside", () => {
    expectSameMap(
      read('torch/state_dict'),
      new Map([
        ['weight', counting('float32', [3])],
        ['bias', floats([3], [0, 0, 0])],
        ['running_mean', floats([3], [0, 0, 0])],
        ['running_var', floats([3], [1, 1, 1])],
        ['num_batches_tracked', tensor('int64', [], BigInt64Array.of(0n))],
      ]),
    );
  });

  it('every dtype', () => {
    const expected = new Map(dtypes.map((d) => [codeOf[d], counting(d, [2, 3])]));
    const actual = read('torch/dtypes');
    expect(actual.size).toBe(12);
    expectSameMap(new Map([...expected.keys()].map((k) => [k, actual.get(k)!])), expected);
  });

  it('views of any strides and offset, parameters, shared storage', () => {
    const base = counting('float32', [4, 6]);
    const at = (i: number, j: number) => Number(base.data[i * 6 + j]);
    const grid = (rows: readonly number[], columns: readonly number[]) =>
      floats(
        [rows.length, columns.length],
        rows.flatMap((i) => columns.map((j) => at(i, j))),
      );
    const columns = [0, 1, 2, 3, 4, 5];
    expectSameMap(
      read('torch/views'),
      new Map([
        ['base', base],
        [
          'transposed',
          floats(
            [6, 4],
            columns.flatMap((j) => [0, 1, 2, 3].map((i) => at(i, j))),
          ),
        ],
        ['corner', grid([1, 2], [2, 3, 4])],
        ['steps', grid([0, 2], [0, 3])],
        ['expanded', floats([4, 3], [1, 8, 15, 1, 8, 15, 1, 8, 15, 1, 8, 15])],
        ['zero_d', floats([], [at(2, 3)])],
        ['empty', floats([0, 3], [])],
        ['parameter', counting('float32', [2, 2])],
      ]),
    );
  });
});

describe('writing', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(anyMap, (map) => {
        expectSameMap(recordingOf(writeTorchCheckpoint(map), 'x').tensors, map);
      }),
    );
  });

  it('aligns every storage for mapping into memory', () => {
    const file = writeTorchCheckpoint(
      new Map([
        ['a', counting('int8', [3])],
        ['b', counting('float32', [5])],
      ]),
    );
    for (const key of [0, 1]) {
      const stored = readZip(file, 'x').get(`archive/data/${key}`)?.read();
      expect((stored?.byteOffset ?? 1) % 64).toBe(0);
    }
  });
});

/** A checkpoint whose one tensor is described at will. */
function described(size: readonly number[], stride: readonly number[], offset: number): Uint8Array {
  const storage: PickleNode = {
    persistent: { tuple: ['storage', { global: ['torch', 'FloatStorage'] }, '0', 'cpu', 4] },
  };
  const node: PickleNode = {
    dict: [
      [
        'w',
        {
          call: { global: ['torch._utils', '_rebuild_tensor_v2'] },
          args: [storage, offset, { tuple: size }, { tuple: stride }, false, null],
        },
      ],
    ],
  };
  const pickle = concatBytes(pickleChunks(node, 2));
  return zipSync({ 'm/data.pkl': pickle, 'm/data/0': new Uint8Array(16) }, { level: 0 });
}

describe('hostile checkpoints', () => {
  it('a layout within its storage is fine', () => {
    expect(readTorchCheckpoint(described([2, 2], [2, 1], 0), 'x').get('w')?.shape).toEqual([2, 2]);
  });

  it.each([
    ['past the end', [2, 3], [3, 1], 0],
    ['offset past the end', [1], [1], 4],
    ['a negative stride', [2], [-1], 3],
    ['a negative size', [-1], [1], 0],
    ['ranks that differ', [2], [1, 1], 0],
    ['an absurd offset', [1], [1], 2 ** 52],
    ['an absurd size', [2 ** 50, 2 ** 50], [0, 0], 0],
    ['one number expanded beyond memory', [2 ** 20, 2 ** 12], [0, 0], 0],
  ])('%s', (_, size, stride, offset) => {
    expect(() => readTorchCheckpoint(described(size, stride, offset), 'x')).toThrow(InputError);
  });

  it('a storage that is not there', () => {
    const file = zipSync({ 'm/data.pkl': concatBytes(pickleChunks(null, 2)) });
    expect(() => readTorchCheckpoint(file, 'x')).toThrow('holds None, not a state_dict');
    expect(() => readTorchCheckpoint(zipSync({ a: new Uint8Array(1) }), 'x')).toThrow(
      'is a zip without arrays',
    );
  });
});

it('reads a checkpoint of a big-endian machine', () => {
  const little = described([4], [1], 0);
  const entries = readZip(little, 'x');
  const elements = new Uint8Array(16);
  new DataView(elements.buffer).setFloat32(4, 1.5, false);
  const file = zipSync({
    'm/data.pkl': entries.get('m/data.pkl')!.read(),
    'm/data/0': elements,
    'm/byteorder': Buffer.from('big'),
  });
  expectSameMap(readTorchCheckpoint(file, 'x'), new Map([['w', floats([4], [0, 1.5, 0, 0])]]));
});
