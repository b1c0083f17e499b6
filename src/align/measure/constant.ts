import { elementAt, type Tensor } from '../../tensor/tensor.ts';

/** The same value in every element, of which there are several. */
export function isConstant(t: Tensor): boolean {
  const first = elementAt(t, 0);
  for (let i = 1; i < t.data.length; i++) if (elementAt(t, i) !== first) return false;
  return t.data.length > 1;
}
