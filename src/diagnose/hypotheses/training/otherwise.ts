import { sameShape } from '../../../tensor/shape.ts';
import { type Tensor, toFloat64 } from '../../../tensor/tensor.ts';
import { explains, leftToOurs, picked } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import type { Variant } from '../../otherwise/variant.ts';
import type { Evidence, Suspect } from '../../suspect.ts';

export const otherwiseName = 'one thing otherwise';

const fitOf = ({ key, says, freedom }: Variant, left: number): Fit => ({
  key,
  says,
  left,
  freedom: freedom ?? 0,
});

const otherwise: Hypothesis = {
  name: otherwiseName,
  about:
    'the same computation with one thing done otherwise: a schedule one epoch late, another momentum',
  fits(numbers, suspect, evidence) {
    const found = [...(evidence.variants?.(suspect.name) ?? [])].flatMap((variant) => {
      const all = toFloat64(variant.value);
      const { truth, at } = numbers;
      if (all.length !== truth.length && all.length !== numbers.whole.length) return [];
      const values = all.length === truth.length ? all : picked(all, at);
      const left = leftToOurs(numbers, (i) => values[i]);
      return explains(numbers, left) ? [{ variant, left }] : [];
    });
    const isNearest = ({ variant: { setting }, left }: (typeof found)[number]): boolean =>
      setting === undefined ||
      found.every((other) => other.variant.setting !== setting || other.left >= left);
    return found.filter(isNearest).map(({ variant, left }) => fitOf(variant, left));
  },
};

/** Another order of the same operations rounds a decided number otherwise. */
const rounding = 1e-9;

function equal(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  if (a.dtype === 'int64') return b.data.every((x, i) => x === a.data[i]);
  const [x, y] = [a, b].map(toFloat64);
  return x.every((value, i) => Math.abs(value - y[i]) <= rounding * Math.abs(value));
}

/**
 * What is decided or drawn, a list of numbers or digests: the same by another decision, to the last row. No other row
 * of the table has anything to say of such a list: its rows are no elements of a tensor.
 */
export const decidedFits = ({ ours, name: of, record }: Suspect, evidence: Evidence): Fit[] =>
  [...(evidence.variants?.(of) ?? [])]
    .filter(({ value }) => equal(value, ours) && !equal(value, record.truth))
    .map((variant) => fitOf(variant, 0));

/** Recomputed on the other side of one decision. */
export const otherwiseHypotheses: readonly Hypothesis[] = [otherwise];
