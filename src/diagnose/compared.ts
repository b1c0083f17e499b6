import type { Comparison, ComparisonToDiagnose } from '../align/judge/compareRecordings.ts';
import type { Verdict } from '../align/judge/verdict.ts';
import { diagnosedBy } from './judged.ts';

/** The rows call the truth the reference; here it is B. */
const ofB = <T extends { readonly says: string }>(told: T): T => ({
  ...told,
  says: told.says.replace(/\b[Tt]he reference\b/g, 'B'),
});

/** Two recordings held against each other, each failure with what the mistake is, B being the truth. */
export function diagnosedComparison({ failed, ...comparison }: ComparisonToDiagnose): Comparison {
  if (failed === undefined) return comparison;
  const verdicts = diagnosedBy(comparison.verdicts, [failed], { foreign: true }).map(
    ({ cause, nearest, ...verdict }): Verdict => ({
      ...verdict,
      ...(cause && { cause: ofB(cause) }),
      ...(nearest && { nearest: nearest.map(ofB) }),
    }),
  );
  return { ...comparison, verdicts };
}
