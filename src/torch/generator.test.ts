import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectState, sha256, torchVectors } from '../../test/vectors/torchVectors.ts';
import { InputError, UsageError } from '../errors.ts';
import {
  fillU32,
  forkGenerator,
  generatorState,
  manualSeed,
  nextU32,
  random64,
  restoreGenerator,
  skipU32,
  type TorchGenerator,
} from './generator.ts';
import { normal } from './normal.ts';

const draws = (g: TorchGenerator, count: number): number[] =>
  Array.from({ length: count }, () => nextU32(g));

const anySeed = fc.oneof(fc.maxSafeInteger(), fc.bigInt(-(1n << 63n), (1n << 64n) - 1n));

describe.each(Object.entries(torchVectors.seeds))('seed %s as PyTorch', (seed, vectors) => {
  test('state after manual_seed', () => {
    expectState(manualSeed(Number(seed)), vectors.state_after_manual_seed);
  });

  test('draws', () => {
    const all = draws(manualSeed(Number(seed)), 640);
    expect(all.slice(0, vectors.raw_u32.length)).toEqual(vectors.raw_u32);
    const late = vectors.raw_u32_from_draw_626;
    expect(all.slice(626, 626 + late.length)).toEqual(late);
  });
});

describe('seeds', () => {
  test('only the low 32 bits draw, but the state keeps all', () => {
    expect(draws(manualSeed((7n << 32n) + 3n), 5)).toEqual(draws(manualSeed(3), 5));
    expect(manualSeed((7n << 32n) + 3n).seed).toBe((7n << 32n) + 3n);
    expect(manualSeed(-1).seed).toBe((1n << 64n) - 1n);
  });

  test.each([1.5, NaN, Infinity, 2 ** 60, 1n << 64n, -(1n << 63n) - 1n])(
    '%s is refused',
    (seed) => {
      expect(() => manualSeed(seed)).toThrow(UsageError);
    },
  );
});

describe('ways of drawing', () => {
  test('filling, skipping and single draws agree', () => {
    fc.assert(
      fc.property(anySeed, fc.array(fc.nat(1500), { maxLength: 6 }), (seed, counts) => {
        const one = manualSeed(seed);
        const filled = manualSeed(seed);
        const skipped = manualSeed(seed);
        for (const count of counts) {
          const block = new Uint32Array(count);
          fillU32(filled, block);
          skipU32(skipped, count);
          expect(Array.from(block)).toEqual(draws(one, count));
        }
        expect(sha256(generatorState(filled))).toBe(sha256(generatorState(one)));
        expect(sha256(generatorState(skipped))).toBe(sha256(generatorState(one)));
      }),
      { numRuns: 30 },
    );
  });

  test('64 bits take the high half first', () => {
    const [high, low] = draws(manualSeed(5), 2);
    expect(random64(manualSeed(5))).toBe((BigInt(high) << 32n) | BigInt(low));
  });
});

describe('state', () => {
  test('saved and restored, a generator continues identically', () => {
    fc.assert(
      fc.property(anySeed, fc.nat(2000), fc.nat(15), (seed, skipped, normals) => {
        const g = manualSeed(seed);
        skipU32(g, skipped);
        normal(g, new Float32Array(normals), 0, 1);
        const restored = restoreGenerator(generatorState(g));
        expect(sha256(generatorState(restored))).toBe(sha256(generatorState(g)));
        const a = new Float32Array(3);
        const b = new Float32Array(3);
        normal(g, a, 0, 1);
        normal(restored, b, 0, 1);
        expect(b).toEqual(a);
        expect(draws(restored, 700)).toEqual(draws(g, 700));
      }),
      { numRuns: 30 },
    );
  });

  test('is read at any byte offset', () => {
    const shifted = new Uint8Array(5056 + 3);
    shifted.set(generatorState(manualSeed(9)), 3);
    expect(nextU32(restoreGenerator(shifted.subarray(3)))).toBe(nextU32(manualSeed(9)));
  });

  test('a fork leaves the original alone', () => {
    const g = manualSeed(1);
    skipU32(g, 10);
    const before = generatorState(g);
    draws(forkGenerator(g), 1000);
    expect(generatorState(g)).toEqual(before);
  });

  const damaged: readonly [string, (bytes: Uint8Array) => Uint8Array][] = [
    ['5055 bytes', (bytes) => bytes.subarray(1)],
    ['left = 0', (bytes) => bytes.fill(0, 8, 12)],
    ['next = 257', (bytes) => bytes.fill(1, 16, 18)],
    ['never seeded', (bytes) => bytes.fill(0, 12, 16)],
    ['state word 1 ', (bytes) => bytes.fill(1, 36, 37)],
    ['flag is 2', (bytes) => bytes.fill(2, 5040, 5041)],
    ['float32 normal', (bytes) => bytes.fill(1, 5052, 5053)],
    ['cached normal is NaN', (bytes) => bytes.fill(255, 5024, 5032).fill(1, 5040, 5041)],
  ];
  test.each(damaged)('damage is named: %s', (message, damage) => {
    const bytes = damage(generatorState(manualSeed(0)));
    const restore = () => restoreGenerator(bytes, 'run.ckpt');
    expect(restore).toThrow(InputError);
    expect(restore).toThrow(/^run\.ckpt: /);
    expect(restore).toThrow(message);
  });
});
