import type { Verdict } from '../align/judge/verdict.ts';
import { shortNumber } from '../shortNumber.ts';
import { type DiffReport, modelOf } from './diffReport.ts';

/**
 * How a device rounds beside PyTorch on the CPU: its errors to float64 in units of PyTorch's own float32 error on the
 * same tensor, as the checks `ratio` hold them. 1 rounds alike; fused multiply-adds and another order of sums
 * move it either way.
 */
export interface Rounding {
  /** How many were judged so. */
  readonly tensors: number;
  readonly median: number;
  readonly worst: number;
  /** The tensor that is worst. */
  readonly tensor: string;
  /** Its errors to float64, ours and PyTorch's. */
  readonly error?: { readonly ours: number; readonly pytorch: number };
}

const methods: readonly string[] = ['relative l2', 'scaled'];

function errorOf({ checks }: Verdict): Rounding['error'] {
  const found = checks.find((c) => methods.includes(c.method) && c.pytorch !== undefined);
  return found?.pytorch === undefined ? undefined : { ours: found.value, pytorch: found.pytorch };
}

/** NaN is worse than every number. */
const size = (ratio: number): number => (Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio);

/** Over all verdicts with a ratio; undefined where there is none. */
export function roundingOf(verdicts: readonly Verdict[]): Rounding | undefined {
  const found = verdicts.flatMap((verdict) =>
    verdict.checks.flatMap(({ method, value }) =>
      method === 'ratio' ? [{ verdict, ratio: size(value) }] : [],
    ),
  );
  if (found.length === 0) return undefined;
  const sorted = found.toSorted((a, b) => (a.ratio === b.ratio ? 0 : a.ratio - b.ratio));
  const middle = (sorted.length - 1) / 2;
  const worst = sorted[sorted.length - 1].ratio;
  // Of several, the one computed first: what only copies it stands behind.
  const { verdict, ratio } = found.find((one) => one.ratio === worst)!;
  const error = errorOf(verdict);
  return {
    tensors: sorted.length,
    median: (sorted[Math.floor(middle)].ratio + sorted[Math.ceil(middle)].ratio) / 2,
    worst: ratio,
    tensor: verdict.name,
    ...(error && { error }),
  };
}

/** `1.05 × PyTorch's own error in the median of 39 tensors, 1.6 at worst (features.30)` */
export const roundingWords = ({ tensors, median, worst, tensor }: Rounding): string =>
  `${shortNumber(median)} × PyTorch's own error in the median of ${tensors}, ${shortNumber(worst)} at worst (${tensor})`;

export interface StageRounding extends Rounding {
  readonly model: string;
  readonly stage: string;
}

/** Of every stage that measured some. */
export const roundingsOf = (reports: readonly DiffReport[]): StageRounding[] =>
  reports.flatMap((report) =>
    report.results.flatMap(({ stage, verdicts }) => {
      const rounding = roundingOf(verdicts);
      return rounding === undefined ? [] : [{ model: modelOf(report), stage, ...rounding }];
    }),
  );

/** Programs and devices that computed, each once. */
export const computedOn = (reports: readonly DiffReport[]): string =>
  [...new Set(reports.map(({ provenance }) => provenance.ours))].join('; ');
