import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../tensor/shape.ts';
import { type Differences, isNoise } from './noise.ts';
import { bell } from './testdata/told.ts';

const shape = [4, 8, 6, 6];
const n = sizeOf(shape);
const at = Int32Array.from({ length: n }, (_, i) => i);

const of = (truth: Float32Array, error: (x: number, i: number) => number): Differences => {
  const values = Float64Array.from(truth);
  return { truth: values, errors: values.map(error), at, shape, beside: [] };
};

/** In how many of so many draws it is taken for noise. */
function taken(make: (truth: Float32Array, other: Float32Array) => Differences): number {
  const drawn = fc.sample(fc.tuple(bell(n), bell(n)), { numRuns: 50, seed: 1 });
  return drawn.filter(([truth, other]) => isNoise(make(truth, other))).length;
}

const [, channels] = shape;
const channelOf = (i: number): number => Math.floor(i / 36) % channels;

describe('an error', () => {
  it.each<[string, (truth: Float32Array, other: Float32Array) => Differences]>([
    ['of rounding to float32', (x) => of(x, (v) => Math.fround(v * 1.1) - v * 1.1)],
    ['that is independent', (x, y) => of(x, (_, i) => 1e-3 * y[i])],
    ['that is independent, and grows with the values', (x, y) => of(x, (v, i) => 1e-3 * v * y[i])],
  ])('%s is noise', (_, make) => {
    expect(taken(make)).toBeGreaterThanOrEqual(45);
  });

  it.each<[string, (truth: Float32Array, other: Float32Array) => Differences]>([
    ['that is smooth', (x) => of(x, (_, i) => Math.sin(i / 40))],
    ['that is a smooth part of the values', (x) => of(x, (v, i) => v * Math.sin(i / 40))],
    ['that is a factor', (x) => of(x, (v) => 1e-3 * v)],
    ['that is an offset', (x, y) => of(x, (_, i) => 1e-3 * (1 + y[i]))],
    [
      'that is another factor in each channel',
      (x, y) => of(x, (v, i) => v * y[channelOf(i)] * 1e-3),
    ],
    [
      'that is another offset in each channel',
      (x, y) => of(x, (_, i) => 1e-3 * (y[channelOf(i)] + 0.5 * y[n - 1 - i])),
    ],
    ['that is a function of the values', (x) => of(x, (v) => 1e-3 * Math.cos(3 * v))],
    ['that lies in one channel', (x, y) => of(x, (_, i) => (channelOf(i) === 2 ? y[i] : 0))],
    [
      'that is a part of what stands beside',
      (x, y) => ({ ...of(x, (_, i) => 1e-3 * y[i]), beside: [Float64Array.from(y)] }),
    ],
    ['of two signs in turn', (x, y) => of(x, (_, i) => (i % 2 === 0 ? 1 : -1) * Math.abs(y[i]))],
  ])('%s is none', (_, make) => {
    expect(taken(make)).toBe(0);
  });

  it('of few elements is none', () => {
    const few = { errors: Float64Array.of(1e-3, -2e-3), truth: Float64Array.of(1, 2) };
    expect(isNoise({ ...few, at: Int32Array.of(0, 1), shape: [2], beside: [] })).toBe(false);
  });
});
