import { conv2d, conv2dInputGrad, conv2dWeightGrad, matmul } from '../ir/build.ts';
import type { Pair } from '../ir/op.ts';
import type { Shape } from '../tensor/shape.ts';
import type { AdjointTable } from './rule.ts';

const spatial = (shape: Shape): Pair => [shape[2], shape[3]];

/**
 * Convolution and its two adjoints are bilinear in their operands, and each is an adjoint of the other
 * two, so the family is closed: second derivatives come for free.
 */
export const linear: AdjointTable<'matmul' | 'conv2d' | 'conv2dInputGrad' | 'conv2dWeightGrad'> = {
  // C = A·B:  dA = dC·Bᵀ, dB = Aᵀ·dC, each transposed back where the operand was
  matmul: ({ inputs: [a, b], params: { transposeA, transposeB } }, dc) => [
    transposeA
      ? matmul(b, dc, { transposeA: transposeB, transposeB: true })
      : matmul(dc, b, { transposeB: !transposeB }),
    transposeB
      ? matmul(dc, a, { transposeA: true, transposeB: transposeA })
      : matmul(a, dc, { transposeA: !transposeA }),
  ],
  // y = x ⋆ w:  dx = dy full-convolved with w, dw = x ⋆ dy over the batch
  conv2d: ({ inputs: [x, w], params: { stride, padding } }, dy) => [
    conv2dInputGrad(dy, w, { stride, padding, inputSize: spatial(x.shape) }),
    conv2dWeightGrad(x, dy, { stride, padding, kernel: spatial(w.shape) }),
  ],
  // g = conv2dInputGrad(dy, w):  ddy = dg ⋆ w, dw = dg ⋆ dy
  conv2dInputGrad: ({ inputs: [dy, w], params: { stride, padding } }, dg) => [
    conv2d(dg, w, { stride, padding }),
    conv2dWeightGrad(dg, dy, { stride, padding, kernel: spatial(w.shape) }),
  ],
  // g = conv2dWeightGrad(x, dy):  dx = conv2dInputGrad(dy, dg), ddy = x ⋆ dg
  conv2dWeightGrad: ({ inputs: [x, dy], params: { stride, padding } }, dg) => [
    conv2dInputGrad(dy, dg, { stride, padding, inputSize: spatial(x.shape) }),
    conv2d(x, dg, { stride, padding }),
  ],
};
