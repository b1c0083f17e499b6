import { type Cause, type Flip, passed, type Verdict } from '../align/judge/verdict.ts';
import type { StageResult } from '../align/stages/stage.ts';
import { rowPassed, type Trace, type TraceRow } from '../align/trace/trace.ts';
import { shortNumber } from '../shortNumber.ts';
import { type Alike, byCause } from './causes.ts';
import type { Provenance } from './reporters/diffLog.ts';
import { numbersFailed, whyFailed } from './whyFailed.ts';

/** Everything a run of `diff` found out about one model. */
export interface DiffReport {
  /** Where several backends were run: which one this is of. */
  readonly backend?: string;
  readonly provenance: Provenance;
  /** Program → version. */
  readonly versions: Readonly<Record<string, string>>;
  readonly results: readonly StageResult<string>[];
  /** Where one was asked for. */
  readonly trace?: Trace;
  /** What each layer of the model is, by its name. */
  readonly layers: ReadonlyMap<string, string>;
  /** Of a port's tensors: the panel of the picture that each is shown in, in their order. */
  readonly panels?: ReadonlyMap<string, string>;
  /** Stages that were asked for and that the reference was recorded without, and why. */
  readonly leftOut?: ReadonlyMap<string, string>;
}

/** When and by which command line a run was made: what its reports cannot know of themselves. */
export interface RunFacts {
  readonly time: Date;
  /** `swa-align diff forward --model vgg16`; none where a program judged by the library. */
  readonly command?: string;
}

/** `swa-align diff`, `swa-align judge`: the program and the command, without what it was given. */
export const calledAs = ({ command }: RunFacts): string =>
  command === undefined ? 'swa-align judge' : command.split(' ').slice(0, 2).join(' ');

/** One thing that does not hold, in words. */
export interface Failure {
  readonly model: string;
  /** A stage, or `trace`. */
  readonly part: string;
  /** Tensor, loss or digest. */
  readonly name: string;
  /** What the mistake is, where it was found out; `relative l2 0.703 > 5.0e-6` */
  readonly why: string;
  /** The same without the mistake. */
  readonly numbers: string;
  /** What explains it. */
  readonly cause?: Cause;
}

/** Failures of one cause in one stage, told once. */
export const alikeFailures = (failures: readonly Failure[]): Alike<Failure>[] =>
  byCause(failures, ({ model, part }) => JSON.stringify([model, part]));

/** The model a report is of, and on which backend where there are several. */
export const modelOf = ({ backend, results, trace }: DiffReport): string => {
  const model = results[0]?.model ?? trace?.model ?? 'no model';
  return backend === undefined ? model : `${model} on ${backend}`;
};

/** Nothing failed, and there was something that could have. */
export const reportPassed = (report: DiffReport): boolean =>
  (report.results.length > 0 || report.trace !== undefined) && failuresOf(report).length === 0;

export const allPassed = (reports: readonly DiffReport[]): boolean =>
  reports.length > 0 && reports.every(reportPassed);

/** `features.1[1234] flipped, 3.0e-8 of the RMS from its kink` */
export const flipWords = ({ layer, element, margin }: Flip): string =>
  `${layer}[${element}] flipped, ${shortNumber(margin)} of the RMS from its kink`;

const allowed = (limit: TraceRow['limit']): string =>
  limit === undefined ? '' : `, limit ${shortNumber(limit.value)}: ${limit.why}`;

/** What a row of a trace has to say beside its numbers. */
export function rowWords(row: TraceRow): string {
  const { state, problem, error, added, limit, addedLimit, flips } = row;
  const wrong = state === 'diverges' || state === 'inherits';
  const own = added !== undefined && addedLimit !== undefined && !(added.ours <= addedLimit.value);
  return [
    ...(problem === undefined ? [] : [problem]),
    ...(wrong && own ? [`adds ${shortNumber(added.ours)}${allowed(addedLimit)}`] : []),
    ...(wrong && !own && error ? [`error ${shortNumber(error.ours)}${allowed(limit)}`] : []),
    ...(flips ?? []).map(flipWords),
  ].join('; ');
}

function rowFailure(model: string, row: TraceRow): Failure {
  const words = [`${row.kind}, ${row.state}`, rowWords(row)].filter((text) => text !== '');
  const why = words.join(': ');
  return { model, part: 'trace', name: row.name, why, numbers: why };
}

/** Failures that nothing before them explains, then those that only inherit. */
export const ownFirst = (failed: readonly Verdict[]): Verdict[] =>
  [...failed].sort((a, b) => Number(a.inherits !== undefined) - Number(b.inherits !== undefined));

/**
 * What failed in a run, the most telling first: where a trace errs by its own doing, then the stages in their
 * order, then what only inherits.
 */
export function failuresOf(report: DiffReport): Failure[] {
  const model = modelOf(report);
  const { trace, results } = report;
  const rows = (trace?.rows ?? []).filter((row) => !rowPassed(row));
  const inherits = ({ state }: TraceRow): boolean => state === 'inherits';
  const nothing = (part: Failure['part']): Failure => ({
    model,
    part,
    name: part,
    why: 'nothing was checked',
    numbers: 'nothing was checked',
  });
  return [
    ...(trace?.rows.length === 0 ? [nothing('trace')] : []),
    ...rows.filter((row) => !inherits(row)).map((row) => rowFailure(model, row)),
    ...results.flatMap((result) => {
      const failed = ownFirst(result.verdicts.filter((v) => !passed(v)));
      if (failed.length === 0 && !result.passed) return [nothing(result.stage)];
      return failed.map((v) => ({
        model,
        part: result.stage,
        name: v.name,
        why: whyFailed(v),
        numbers: numbersFailed(v),
        ...(v.cause && { cause: v.cause }),
      }));
    }),
    ...rows.filter(inherits).map((row) => rowFailure(model, row)),
  ];
}

/** A stage that nobody judged, and why. */
export interface NotJudged {
  readonly model: string;
  readonly stage: string;
  readonly why: string;
}

/** What a run that passed does not vouch for. */
export const notJudged = (reports: readonly DiffReport[]): NotJudged[] =>
  reports.flatMap((report) =>
    [...(report.leftOut ?? [])].map(([stage, why]) => ({ model: modelOf(report), stage, why })),
  );

/** A limit that somebody set by hand, and why. */
export interface UsedOverride {
  readonly model: string;
  readonly part: string;
  readonly name: string;
  readonly limit: number;
  readonly reason: string;
}

/** Every limit of a run that stands where it does because somebody wrote so. */
export function overridesOf(report: DiffReport): UsedOverride[] {
  const model = modelOf(report);
  const used = (part: UsedOverride['part'], { name, override }: Verdict | TraceRow) =>
    override === undefined
      ? []
      : [{ model, part, name, limit: override.limit, reason: override.reason }];
  return [
    ...report.results.flatMap(({ stage, verdicts }) => verdicts.flatMap((v) => used(stage, v))),
    ...(report.trace?.rows ?? []).flatMap((row) => used('trace', row)),
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
