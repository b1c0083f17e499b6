import type { StageContext, StageFindings } from '../stage.ts';
import { passed } from '../verdict.ts';

/** Several parts of a stage as one. */
export const merged = (parts: readonly StageFindings[]): StageFindings => ({
  verdicts: parts.flatMap((p) => p.verdicts),
  ours: new Map(parts.flatMap((p) => [...p.ours])),
  pytorch: new Map(parts.flatMap((p) => [...p.pytorch])),
  inputs: [...new Set(parts.flatMap((p) => p.inputs))],
  notes: parts.flatMap((p) => p.notes),
});

export const nothing: StageFindings = merged([]);

/** Parts of a stage one after the other; see `firstFailureOnly`. */
export async function inTurn(
  { firstFailureOnly = false }: Pick<StageContext, 'firstFailureOnly'>,
  parts: readonly (() => StageFindings | Promise<StageFindings>)[],
): Promise<StageFindings> {
  const found: StageFindings[] = [];
  for (const part of parts) {
    const findings = await part();
    found.push(findings);
    if (firstFailureOnly && !findings.verdicts.every(passed)) break;
  }
  return merged(found);
}
