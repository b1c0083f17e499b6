import type { StageResult } from '../align/stage.ts';
import { type Trace, tracePassed } from '../align/trace.ts';
import { passed } from '../align/verdict.ts';
import type { Provenance } from './diffLog.ts';

export interface DiffReport {
  readonly provenance: Provenance;
  readonly versions: Readonly<Record<string, string>>;
  readonly results: readonly StageResult[];
  /** Where one was asked for. */
  readonly trace?: Trace;
}

/** JSON has no NaN or Infinity: they go as text, so that nothing turns silently into null. */
const finite = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** Everything about a run of the stages, machine-readable. */
export function diffJson(reports: readonly DiffReport[]): string {
  const json = {
    format: 'swa-align-diff/1',
    passed: reports.every(
      ({ results, trace }) =>
        results.every((r) => r.passed) && (trace === undefined || tracePassed(trace)),
    ),
    models: reports.map(({ provenance, versions, results, trace }) => ({
      model: results[0]?.model ?? trace?.model,
      ...provenance,
      versions,
      stages: results.map(({ stage, seconds, notes, inputs, verdicts, ...rest }) => ({
        stage,
        passed: rest.passed,
        seconds: Number(seconds.toFixed(3)),
        notes,
        inputs,
        verdicts: verdicts.map((v) => ({ ...v, passed: passed(v) })),
      })),
      ...(trace === undefined ? {} : { trace }),
    })),
  };
  return `${JSON.stringify(json, finite, 1)}\n`;
}
