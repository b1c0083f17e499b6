import fc from 'fast-check';
import { expect, it } from 'vitest';
import { numbersFrom } from '../testdata/suspects.ts';
import { functions, slopeOf, softmax, softmaxBack } from './functions.ts';

const shape = [3, 4, 2];
const size = 24;

it('what softmax and its logarithm send back is their slope', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(2), fc.boolean(), (seed, axis, log) => {
      const x = numbersFrom(seed, size);
      const sent = numbersFrom(seed + 1, size);
      const given = (values: Float64Array): number =>
        softmax(values, shape, axis, log).reduce((sum, y, i) => sum + y * sent[i], 0);
      const moved = (i: number, by: number): Float64Array =>
        x.map((value, k) => (k === i ? value + by : value));
      const back = softmaxBack(softmax(x, shape, axis, log), sent, shape, axis, log);
      const step = 1e-5;
      for (let i = 0; i < size; i++) {
        const slope = (given(moved(i, step)) - given(moved(i, -step))) / (2 * step);
        expect(back[i]).toBeCloseTo(slope, 8);
      }
    }),
    { numRuns: 30 },
  );
});

it.each([
  ['ReLU', 0, 0],
  ['ReLU6', 6, 1],
  ['leaky ReLU of 0.1', 0, 0.1],
  ['GELU by erf', 0, 0.5],
])('the slope of %s at its kink is that of the side below', (name, at, slope) => {
  expect(slopeOf(functions[name], at)).toBeCloseTo(slope, 6);
});
