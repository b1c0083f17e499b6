import type { Window } from '../../../ir/op.ts';

/** Rows and columns at the far edge that no window reached because the stride rounded them away: ONNX's `output_padding`. */
export const uncovered = (
  { kernel, stride, padding }: Window,
  inputSize: readonly number[],
  outputSize: readonly number[],
): number[] =>
  [0, 1].map((a) => inputSize[a] + 2 * padding[a] - kernel[a] - (outputSize[a] - 1) * stride[a]);
