import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InputError } from '../../errors.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { readNpzFile } from '../../io/numpy/npz.ts';
import { type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { unpacked } from './packed.ts';

const index = (entries: unknown): Tensor => {
  const bytes = new TextEncoder().encode(JSON.stringify(entries));
  return tensor('uint8', [bytes.length], bytes);
};

const packed = (entries: unknown, elements: readonly number[]): TensorMap =>
  new Map([
    ['order', tensor('int64', [1], BigInt64Array.of(5n))],
    ['packed/index', index(entries)],
    ['packed/float32', tensor('float32', [elements.length], Float32Array.from(elements))],
  ]);

test('arrays come apart in the order of the index, others stay', () => {
  const entries = [
    ['a', 'float32', [2]],
    ['b', 'float32', []],
  ];
  const found = unpacked(packed(entries, [1, 2, 3]), 'x.npz');
  expect(Object.fromEntries(found)).toEqual({
    order: tensor('int64', [1], BigInt64Array.of(5n)),
    a: tensor('float32', [2], Float32Array.of(1, 2)),
    b: tensor('float32', [], Float32Array.of(3)),
  });
});

test('a file without an index is as it is', () => {
  const plain: TensorMap = new Map([['a', tensor('float32', [], Float32Array.of(3))]]);
  expect(unpacked(plain, 'x.npz')).toBe(plain);
});

test.each([
  [[['a', 'float32', [4]]], 'end before a'],
  [[['a', 'float64', [1]]], 'end before a'],
  [[['a', 'float32', [2]]], 'hold more float32'],
  [[['order', 'float32', [3]]], 'hold order twice'],
  [[['a', 'int8', [3]]], 'have no usable index'],
  [{ a: 3 }, 'have no usable index'],
])('an index that does not fit, %j, is refused by name', (entries, why) => {
  const damaged = () => unpacked(packed(entries, [1, 2, 3]), 'x.npz');
  expect(damaged).toThrow(InputError);
  expect(damaged).toThrow(why);
  expect(damaged).toThrow('x.npz');
});

const hasTorch = pythonHas(['numpy', 'torch']);

const script = `
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from reference_export.arrays import pack
rng = np.random.RandomState(1)
values = {f"f{bits}/{n}": rng.standard_normal(shape).astype(f"f{bits // 8}")
    for n, shape in enumerate([(3, 2), (), (7,), (0, 4)]) for bits in (32, 64)}
values["order"] = np.arange(3)
np.savez(sys.argv[2], **values)
np.savez_compressed(sys.argv[3], **pack(values))
`;

import { pythonHas } from '../../../test/support/pythons.ts';

test.skipIf(!hasTorch)('what the exporter packs is what it would have written apart', () => {
  const dir = mkdtempSync(join(tmpdir(), 'packed-'));
  try {
    const [apart, together] = ['apart.npz', 'together.npz'].map((name) => join(dir, name));
    const { status, stderr } = spawnSync('python3', [
      '-c',
      script,
      fixturesDirectory,
      apart,
      together,
    ]);
    expect(status, stderr.toString()).toBe(0);
    const expected = readNpzFile(apart);
    const found = unpacked(readNpzFile(together), together);
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [key, value] of expected) expect(found.get(key)).toEqual(value);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
