import type { StageName } from '../align/manifest.ts';
import type { StageResult } from '../align/stage.ts';
import type { Trace, TraceRow } from '../align/trace.ts';
import { passed } from '../align/verdict.ts';
import type { Provenance } from './diffLog.ts';
import { whyFailed } from './diffSummary.ts';
import { shortNumber } from './shortNumber.ts';

/** Everything a run of `diff` found out about one model. */
export interface DiffReport {
  readonly provenance: Provenance;
  /** Program → version. */
  readonly versions: Readonly<Record<string, string>>;
  readonly results: readonly StageResult[];
  readonly trace?: Trace;
}

/** When and by which command line a run was made: what its reports cannot know of themselves. */
export interface RunFacts {
  readonly time: Date;
  /** `swa-align diff forward --model vgg16` */
  readonly command: string;
}

/** One thing that does not hold, in words. */
export interface Failure {
  readonly model: string;
  readonly part: StageName | 'trace';
  /** Tensor, loss or digest. */
  readonly name: string;
  /** `relative l2 0.703 > 5.0e-6` */
  readonly why: string;
}

export const modelOf = ({ results, trace }: DiffReport): string =>
  results[0]?.model ?? trace?.model ?? 'no model';

/** A layer that errs by itself, or of which nothing is known; what it does to those after it is not their fault. */
export const rowFailed = ({ state }: TraceRow): boolean =>
  state === 'diverges' || state === 'missing';

/** Nothing failed, and there was something that could have. */
export const reportPassed = ({ results, trace }: DiffReport): boolean =>
  results.length + (trace?.rows.length ?? 0) > 0 &&
  results.every((r) => r.passed) &&
  !(trace?.rows ?? []).some(rowFailed);

export const allPassed = (reports: readonly DiffReport[]): boolean =>
  reports.length > 0 && reports.every(reportPassed);

/** What a row of a trace has to say beside its numbers. */
export function rowWords({ state, problem, error, added, limit, flips }: TraceRow): string {
  if (problem !== undefined) return problem;
  const above = limit === undefined ? '' : `, ${shortNumber(limit.value)} would pass`;
  const own = added === undefined ? '' : `; the layer by itself adds ${shortNumber(added.ours)}`;
  const flipped = (flips ?? []).map(
    ({ layer, element, margin }) =>
      `${layer}[${element}] flipped, ${shortNumber(margin)} of the RMS from its kink`,
  );
  const size =
    error === undefined || state === 'agrees' || state === 'flipped'
      ? []
      : [`relative l2 ${shortNumber(error.ours)}${above}${own}`];
  return [...size, ...flipped].join('; ');
}

const rowFailure = (model: string, row: TraceRow): Failure => ({
  model,
  part: 'trace',
  name: row.name,
  why: `${row.kind} ${row.state === 'missing' ? 'is missing' : 'diverges'}${rowWords(row) === '' ? '' : `: ${rowWords(row)}`}`,
});

/** What failed in a run, the most telling first: where a trace diverges, then the stages in their order. */
export function failuresOf(report: DiffReport): Failure[] {
  const model = modelOf(report);
  const rows = (report.trace?.rows ?? []).filter(rowFailed);
  return [
    ...rows.map((row) => rowFailure(model, row)),
    ...report.results.flatMap((result) => {
      const failed = result.verdicts.filter((v) => !passed(v));
      // A stage without verdicts fails as a whole.
      if (failed.length === 0 && !result.passed) {
        return [{ model, part: result.stage, name: result.stage, why: 'nothing was checked' }];
      }
      return failed.map((v) => ({
        model,
        part: result.stage,
        name: v.name,
        why: whyFailed(v),
      }));
    }),
  ];
}

export interface UsedFile {
  readonly path: string;
  readonly sha256: string;
  /** Models whose references hold it, or single stages where these name it as their input. */
  readonly users: readonly string[];
}

/** Inputs and recordings, each once; models record under equal names what is not equal. */
export function filesOf(reports: readonly DiffReport[]): UsedFile[] {
  const files = new Map<string, { path: string; sha256: string; users: string[] }>();
  for (const report of reports) {
    const model = modelOf(report);
    for (const [path, sha256] of Object.entries(report.provenance.hashes)) {
      const key = `${sha256} ${path}`;
      const file = files.get(key) ?? { path, sha256, users: [] };
      const readers = report.results.filter(({ inputs }) => inputs.includes(path));
      file.users.push(
        ...(readers.length === 0 ? [model] : readers.map(({ stage }) => `${model} ${stage}`)),
      );
      files.set(key, file);
    }
  }
  return [...files.values()];
}
