import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { tolerances } from './tolerances.ts';

/** Up to here values are of order one. */
const one = 10;

/**
 * reprod_log's bar, which is meant for values of order one, in proportion to larger ones: a freshly drawn
 * residual network in evaluation mode normalises nothing, its logits are thousands and round accordingly.
 */
export function meanAbsBar(theirs: Tensor): number {
  const values = toFloat64(theirs);
  const rms = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
  return tolerances.meanAbs * (rms <= one ? 1 : rms);
}
