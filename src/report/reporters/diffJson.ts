import { passed } from '../../align/judge/verdict.ts';
import { allPassed, type DiffReport, modelOf } from '../diffReport.ts';
import { roundingOf } from '../rounding.ts';

/** JSON has no NaN, no Infinity and no bigint: they go as text, so that nothing turns silently into null. */
const plain = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
    ? String(value)
    : value;

/** Everything about a run of the stages, machine-readable. */
export function diffJson(reports: readonly DiffReport[]): string {
  const json = {
    format: 'swa-align-diff/1',
    passed: allPassed(reports),
    models: reports.map((report) => ({
      model: modelOf(report),
      ...report.provenance,
      versions: report.versions,
      stages: report.results.map(({ stage, seconds, notes, inputs, verdicts, ...rest }) => ({
        stage,
        passed: rest.passed,
        seconds: Number(seconds.toFixed(3)),
        notes,
        inputs,
        rounding: roundingOf(verdicts),
        verdicts: verdicts.map((v) => ({ ...v, passed: passed(v) })),
      })),
      trace: report.trace,
      ...(report.leftOut && { notJudged: Object.fromEntries(report.leftOut) }),
    })),
  };
  return `${JSON.stringify(json, plain, 1)}\n`;
}
