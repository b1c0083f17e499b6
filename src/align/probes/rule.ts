import type { Rule, Tolerance } from '../judge/expectation.ts';
import { float32Rounding, type Unit } from '../judge/limits.ts';
import { tolerances } from '../judge/tolerances.ts';
import { relativeError, rms } from '../measure/relativeError.ts';
import { isGiven, type Probe } from '../reference/probe.ts';
import type { ProbeReference } from '../reference/probeReference.ts';
import type { RecordedTensor } from '../reference/recorded.ts';

/** What a port computes in. TF32 rounds factors, not sums. */
export type Precision = 'float32' | 'tf32' | 'float16' | 'bfloat16';

/** Relative error of one rounding, by the precision in which a port computes. */
export const precisions: { readonly [P in Precision]: number } = {
  float32: float32Rounding,
  tf32: 2 ** -11,
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
};

/** How far a port may be from PyTorch. */
export interface RuleOptions {
  /** How many times PyTorch's own error passes. */
  readonly ratio?: number;
  /** What the port computes in, where it is coarser than float32 and that is meant. */
  readonly precision?: Precision;
}

/** Of a type of element; types that are exacter than float32 are judged as float32 is. */
const roundingOf = (dtype: string): number =>
  dtype in precisions ? precisions[dtype as Precision] : float32Rounding;

/** No error as large as half of a tensor passes, whatever PyTorch's own: zeros and noise are as far off as all of it. */
const largestLimit = 0.5;

/** A tensor that passes this far from the truth proves little: a mistake of a few percent would pass too. */
export const weakLimit = 0.05;

/** Up to so many elements, one run's error is luck: they are allowed a few roundings at least. */
const fewElements = 64;
const fewRoundings = 4;

/** What errors of a probe are counted in: PyTorch's own error, the largest in several orders of summation. */
function unitFor(
  record: RecordedTensor,
  dtype: string,
  precision: Precision,
  scale: number | undefined,
): Unit {
  const { truth, pytorch, rounding = 0 } = record;
  const few = truth.data.length <= fewElements ? fewRoundings : 1;
  const own = relativeError(pytorch, truth, scale);
  const one = roundingOf(dtype);
  const found = Math.max(own, rounding, few * one);
  const coarser = Math.max(1, precisions[precision] / one);
  const type = one === float32Rounding ? 'float32' : dtype;
  const what =
    found === own
      ? "PyTorch's own error"
      : found === rounding
        ? "PyTorch's largest error in other orders of summation"
        : `${few} ${type} ${few === 1 ? 'rounding' : 'roundings'}, PyTorch being nearer`;
  return {
    value: found * coarser,
    what: `${what} ${found.toExponential(1)}${coarser === 1 ? '' : ` × ${coarser} for ${precision}`}`,
  };
}

const vanishes = ({ truth, pytorch }: RecordedTensor): boolean =>
  rms(truth) === 0 && rms(pytorch) > 0;

/** What an error is measured by where the truth is zero but for rounding. */
function scaleFor({ scale }: Probe, record: RecordedTensor): Tolerance['scale'] {
  if (scale !== undefined) return scale;
  return vanishes(record)
    ? { value: rms(record.pytorch), what: "the RMS of PyTorch's float32, its float64 being zero" }
    : undefined;
}

/**
 * How a probe is judged. What is given, and integers: to the bit. Floating numbers: by their distance to PyTorch's
 * float64, `ratio` times PyTorch's own.
 */
export function ruleFor(reference: ProbeReference, probe: Probe, options: RuleOptions): Rule {
  const record = isGiven(probe) ? undefined : reference.record(probe);
  if (record === undefined) {
    const to = reference.whole(probe);
    return { kind: 'equality', to, what: `${to.data.length} numbers, to the bit` };
  }
  const { ratio = tolerances.ratio, precision = 'float32' } = options;
  const scale = scaleFor(probe, record);
  // Of a tensor that is zero but for rounding, all of it is error, whoever computes it.
  const largest = scale === undefined ? largestLimit : Number.POSITIVE_INFINITY;
  const unit = unitFor(record, probe.dtype, precision, scale?.value);
  return {
    kind: 'float64',
    record,
    tolerance: {
      relativeL2: Math.min(ratio * unit.value, largest),
      ratio,
      unit,
      constant: true,
      ...(scale && { scale }),
    },
    ...(probe.axes && { axes: probe.axes }),
  };
}
