import type { Attributes, OnnxGraph, Value } from '../onnx/onnxGraph.ts';

/**
 * The WebGPU provider's Conv adds up all products of an output in one running float32 sum. Its error grows with the
 * root of their number: over 512 channels of 3×3, 2.7 times PyTorch's in the median of a network's gradients. A CPU
 * keeps several sums side by side.
 */
const longestSum = 1152;

/** More would cost more launches than they save rounding. */
const mostParts = 4;

/** The channels in nearly equal parts, none of whose sums is long. */
export function channelParts(channels: number, productsAChannel: number): number[] {
  const wanted = Math.ceil((channels * productsAChannel) / longestSum);
  const count = Math.min(wanted, mostParts, channels);
  return Array.from(
    { length: count },
    (_, i) => Math.floor(((i + 1) * channels) / count) - Math.floor((i * channels) / count),
  );
}

/** x [n, c, …] and w [o, c, …] → Conv, part by part of the channels: (y₀ + y₁) + (y₂ + y₃). */
export function convInParts(
  g: OnnxGraph,
  [x, w]: readonly [Value, Value],
  parts: readonly number[],
  attributes: Attributes,
): Value {
  if (parts.length === 1) return g.emit('Conv', [x, w], attributes);
  const split = (value: Value): Value[] =>
    g.emitMany('Split', [value, g.ints(parts)], parts.length, { axis: 1 });
  const [maps, kernels] = [split(x), split(w)];
  let sums = maps.map((map, i) => g.emit('Conv', [map, kernels[i]], attributes));
  while (sums.length > 1) {
    sums = sums.flatMap((sum, i) =>
      i % 2 === 1 ? [] : i + 1 === sums.length ? [sum] : [g.emit('Add', [sum, sums[i + 1]])],
    );
  }
  return sums[0];
}
