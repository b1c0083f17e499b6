import { type AxisChoice, axisMatrix } from './bilinearMatrices.ts';

/** F(2, 3) in one dimension (Lavin & Gray 2016, section 4.1): four frequencies, three taps, two results. */
const toFrequencies = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
] as const;
const tapsToFrequencies = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
] as const;
const fromFrequencies = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
] as const;

const { length: frequencies } = toFrequencies;
const { length: step } = fromFrequencies;

/**
 * Winograd's minimal filtering F(2×2, 3×3) (Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks"): 16
 * products for four results where the window takes 36. Tiles of two results cover the axis, the last perhaps
 * hanging over. D, G and E hold 0, ±1, ½ and ¼, and so rounding stays that of a plain sum; F(4×4, 3×3) would need a
 * quarter fewer products for an error several times larger.
 */
export const winogradAxis: AxisChoice = (places, results, padding) => {
  const tiles = Math.ceil(results / step);
  return {
    input: axisMatrix(
      [frequencies, tiles, places],
      (f, tile, place) => toFrequencies[f][place + padding - step * tile] ?? 0,
    ),
    output: axisMatrix(
      [frequencies, tiles, results],
      (f, tile, result) => fromFrequencies[result - step * tile]?.[f] ?? 0,
    ),
    kernel: tapsToFrequencies,
  };
};
