import type { Reference } from '../../align/reference/reference.ts';
import { matrixOf } from '../../align/sideBySide/matrix.ts';
import {
  partsOf,
  type RunEvent,
  type Runs,
  runAll,
  type Witness,
} from '../../align/sideBySide/runs.ts';
import type { DiffReport } from '../../report/diffReport.ts';
import { stageSummary } from '../../report/diffSummary.ts';
import { traceTable } from '../../report/reporters/traceTable.ts';
import type { CliContext } from '../context.ts';
import { live } from '../terminal/liveLine.ts';
import { placeLines } from '../terminal/progress.ts';
import { writeLogs } from './logs.ts';
import type { DiffOptions } from './options.ts';
import { leftOutOf, provenanceOf, reportOf } from './report.ts';

type Of<K extends RunEvent['kind']> = Extract<RunEvent, { kind: K }>;

/** What a run found, and what it left out. */
export interface Followed {
  readonly reports: readonly DiffReport[];
  readonly witnesses: readonly Witness[];
  readonly absent: readonly Of<'absent'>[];
}

/** Runs everything, tells of it as it comes, and writes the logs. */
export async function follow(
  runs: Runs,
  options: DiffOptions,
  { print, columns }: Pick<CliContext, 'print' | 'columns'>,
): Promise<Followed> {
  const witnesses: Witness[] = [];
  const absent: Of<'absent'>[] = [];
  const parts = partsOf(runs);
  let begun = 0;
  const on: { readonly [K in RunEvent['kind']]: (event: Of<K>) => void } = {
    opening: ({ name }) => live.begin(`opening ${name}`),
    absent: (event) => {
      absent.push(event);
      const { name, why, reference } = event;
      const of = reference === undefined ? '' : `${reference.manifest.model}: `;
      print(`${name} left out: ${of}${why}`);
    },
    reference: ({ witness }) => {
      const { ours, theirs } = provenanceOf(witness);
      print(`${witness.reference.manifest.model}: ${ours} against ${theirs}`);
    },
    begins: ({ witness: { reference }, part }) =>
      live.begin(placeLines(begun++, parts, `${reference.manifest.model} ${part}`)),
    stage: ({ witness, result }) => {
      writeLogs(options, runs, witness, result);
      for (const line of stageSummary(result)) print(line);
    },
    trace: ({ trace }) => {
      for (const line of traceTable(trace, columns)) print(line);
    },
    witness: ({ witness }) => {
      witnesses.push(witness);
      for (const [stage, why] of leftOutOf(witness, runs)) {
        print(`  – ${stage.padEnd(9)}not judged: left out of the reference, ${why}`);
      }
    },
  };
  for await (const event of runAll(runs)) (on[event.kind] as (event: RunEvent) => void)(event);
  return { witnesses, absent, reports: witnesses.map((witness) => reportOf(witness, runs)) };
}

/** Those that ran on a reference, and those that did not, side by side. */
export const matrixOn = (reference: Reference, { witnesses, absent }: Followed) =>
  matrixOf(
    reference.manifest.model,
    witnesses.filter((w) => w.reference === reference),
    absent.filter((a) => a.reference === undefined || a.reference === reference),
  );
