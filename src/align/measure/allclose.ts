import { elementType, type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { absoluteDifferences } from './absoluteDifferences.ts';

/** |a − b| may be `atol` + `rtol`·|b|, element by element. */
export interface CloseTolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** What torch.testing.assert_close allows where nothing is said. */
const usual: ReadonlyMap<string, CloseTolerance> = new Map([
  ['float16', { rtol: 1e-3, atol: 1e-5 }],
  ['bfloat16', { rtol: 1.6e-2, atol: 1e-5 }],
  ['float32', { rtol: 1.3e-6, atol: 1e-5 }],
  ['float64', { rtol: 1e-7, atol: 1e-7 }],
  ['complex64', { rtol: 1.3e-6, atol: 1e-5 }],
  ['complex128', { rtol: 1e-7, atol: 1e-7 }],
]);

/** By the type of the elements; integers and all other types must be equal. */
export const usualTolerance = (t: Tensor): CloseTolerance =>
  usual.get(elementType(t)) ?? { rtol: 0, atol: 0 };

/**
 * Element by element, |a − b| as a share of what is allowed: more than 1 just where torch.allclose and numpy.allclose,
 * had they computed in float64, would not pass. Infinity where nothing is allowed and something is off.
 */
export function closeShares(a: Tensor, b: Tensor, { rtol, atol }: CloseTolerance): Float64Array {
  const [shares, sizes] = [absoluteDifferences(a, b), toFloat64(b)];
  for (let i = 0; i < shares.length; i++) {
    if (shares[i] !== 0) shares[i] /= atol + rtol * Math.abs(sizes[i]);
  }
  return shares;
}
