import { type AxisChoice, axisMatrix } from './bilinearMatrices.ts';

interface PlacePair {
  readonly result: number;
  readonly place: number;
  readonly tap: number;
}

/**
 * A product for each pair of result and place that a tap joins, on maps no larger than the kernel: nearly all are joined,
 * and none is spent on padding. On 2×2 maps under a 3×3 kernel 16 products where the padded window does 36. The
 * matrices hold 0 and 1: they repeat and add, and round nothing that a plain sum would not.
 */
export const pairsAxis: AxisChoice = (places, results, padding, taps) => {
  const pairs: PlacePair[] = [];
  for (let result = 0; result < results; result++) {
    for (let place = 0; place < places; place++) {
      const tap = place + padding - result;
      if (tap >= 0 && tap < taps) pairs.push({ result, place, tap });
    }
  }
  const is = (a: number, b: number): number => (a === b ? 1 : 0);
  return {
    input: axisMatrix([pairs.length, 1, places], (f, _, place) => is(pairs[f].place, place)),
    output: axisMatrix([pairs.length, 1, results], (f, _, result) => is(pairs[f].result, result)),
    kernel: pairs.map(({ tap }) => Array.from({ length: taps }, (_, t) => is(tap, t))),
  };
};
