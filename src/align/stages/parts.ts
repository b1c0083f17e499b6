import type { StageFindings } from '../stage.ts';

/** Several parts of a stage as one. */
export const merged = (parts: readonly StageFindings[]): StageFindings => ({
  verdicts: parts.flatMap((p) => p.verdicts),
  ours: new Map(parts.flatMap((p) => [...p.ours])),
  pytorch: new Map(parts.flatMap((p) => [...p.pytorch])),
  inputs: [...new Set(parts.flatMap((p) => p.inputs))],
  notes: parts.flatMap((p) => p.notes),
});

export const nothing: StageFindings = merged([]);
