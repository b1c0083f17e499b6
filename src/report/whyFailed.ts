import type { Verdict } from '../align/verdict.ts';
import { shortNumber } from './shortNumber.ts';

/** Why a verdict failed, in one line. */
export function whyFailed({ name, layer, problem, checks }: Verdict): string {
  const by = layer === undefined || layer === name ? '' : `made by ${layer}: `;
  if (problem !== undefined) return by + problem;
  const bad = checks.filter((c) => !c.passed);
  const reasons = bad.map(
    ({ method, value, threshold, note }) =>
      `${method} ${shortNumber(value)} > ${shortNumber(threshold)}${note === undefined ? '' : ` (${note})`}`,
  );
  return reasons.join('; ') || 'nothing was checked';
}
