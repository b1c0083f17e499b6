import type { Comparison } from '../align/judge/compareRecordings.ts';
import { diagnosedBy } from './judged.ts';

/** Two recordings held against each other, each failure with what the mistake is, B being the truth. */
export function diagnosedComparison({ failed, ...comparison }: Comparison): Comparison {
  if (failed === undefined) return comparison;
  const verdicts = diagnosedBy(comparison.verdicts, [failed], { foreign: true });
  return { ...comparison, verdicts };
}
