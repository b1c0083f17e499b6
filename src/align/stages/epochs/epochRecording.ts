import { sha256Hex } from '../../../io/sha256/sha256.ts';
import { scalar, type Tensor, type TensorMap, tensor, toFloat32 } from '../../../tensor/tensor.ts';
import { recordedNames } from '../../reference/recorded.ts';
import type { Fed, FedTests } from '../fed.ts';
import { digestRows, weightDigests } from '../sameStart.ts';
import type { FedTest } from '../small/watchedRun.ts';
import type { PartRun } from '../stage.ts';
import {
  columns,
  type EpochsRecord,
  epochsAfter,
  evalName,
  evals,
  fedParts,
  groupsAfter,
  testParts,
} from './epochsRecord.ts';
import type { ObservedRun } from './smallRun.ts';

export const numbers = (values: readonly number[]): Tensor =>
  tensor('float64', [values.length], Float64Array.from(values));

/** Digests of batches, each with the number of the pass it belongs to. */
export const passRows = (passes: readonly (readonly string[])[]): Tensor =>
  digestRows(
    passes.flatMap((pass, n) => pass.map((hash) => n.toString(16).padStart(8, '0') + hash)),
  );

/** What stands where there is no digest. */
const noDigest = '0'.repeat(64);

/** The weights a run began from; a backend in float64 holds the same numbers in other bytes. */
function drawn({ checkpoints }: ObservedRun, { section }: EpochsRecord): PartRun {
  const found = [...(checkpoints.get(0)?.weights ?? [])].filter(
    ([name]) => !name.endsWith('.num_batches_tracked'),
  );
  const weights = new Map<string, Tensor>(
    found.map(([name, t]) => [name, tensor('float32', t.shape, toFloat32(t))]),
  );
  return weightDigests(weights, section.weights.sha256);
}

/** What is drawn or decided: lists, a step, batch or epoch a row. */
function decided(run: ObservedRun, record: EpochsRecord, from: number): [string, Tensor][] {
  const { fed, evaluated, refreshes, rows, checkpoints } = run;
  const after = epochsAfter(record, from).map((epoch) => checkpoints.get(epoch));
  return [
    ['models averaged', numbers(after.map((c) => c?.averaged ?? Number.NaN))],
    ...columns.map((column): [string, Tensor] => {
      const told = rows.filter((row) => row[column] !== undefined);
      return [`${column} is told`, numbers(told.map(({ epoch }) => epoch))];
    }),
    ['batch sizes', numbers(fed.map(({ images }) => images))],
    ['learning rate', numbers(fed.map(({ lr }) => lr))],
    ...fedParts(record.section).map((part): [string, Tensor] => [
      part,
      digestRows(fed.map(({ digests }) => digests[part] ?? noDigest)),
    ]),
    ...testParts.map((part): [string, Tensor] => [
      `test ${part}`,
      digestRows(evaluated.map((batch) => batch[part])),
    ]),
    ['batch-norm refresh', passRows(refreshes.map((pass) => pass.map((batch) => batch.digest)))],
    [
      'generator',
      digestRows(after.map((c) => (c === undefined ? noDigest : sha256Hex(c.position.generator)))),
    ],
  ];
}

/** What is computed: losses, the log, and every tensor that an epoch left behind. */
function computed(run: ObservedRun, record: EpochsRecord, from: number): [string, Tensor][] {
  return [
    ...run.losses.map((loss, i): [string, Tensor] => [`loss@${from + i}`, scalar(loss)]),
    ...epochsAfter(record, from).flatMap((epoch): [string, Tensor][] => {
      const row = run.rows.find((r) => r.epoch === epoch);
      const checkpoint = run.checkpoints.get(epoch);
      return [
        ...columns.flatMap((column): [string, Tensor][] => {
          const value = row?.[column];
          return value === undefined ? [] : [[`${column} of epoch ${epoch}`, scalar(value)]];
        }),
        ...groupsAfter(epoch, record).flatMap(({ prefix, of }) => {
          const found: TensorMap = checkpoint?.[of] ?? new Map();
          const names = recordedNames(record.arrays, prefix).filter((name) => found.has(name));
          return names.map((name): [string, Tensor] => [prefix + name, found.get(name)!]);
        }),
      ];
    }),
  ];
}

/** What the command `eval` saw and said, or why it refused. */
function evaluations(run: ObservedRun): { found: [string, Tensor][]; refused: [string, string][] } {
  const found: [string, Tensor][] = [];
  const refused: [string, string][] = [];
  for (const { kind } of evals) {
    const observed = run.evals[kind];
    if ('problem' in observed) {
      for (const what of [...testParts, 'loss', 'accuracy'])
        refused.push([evalName(kind, what), observed.problem]);
      continue;
    }
    for (const part of testParts) {
      found.push([evalName(kind, part), digestRows(observed.fed.map((batch) => batch[part]))]);
    }
    found.push([evalName(kind, 'loss'), scalar(observed.found.loss)]);
    found.push([evalName(kind, 'accuracy'), scalar(100 * observed.found.accuracy)]);
  }
  return { found, refused };
}

/** What stands behind the digests. */
export function fedOf(run: ObservedRun, record: EpochsRecord, from: number, prefix: string): Fed {
  const { batch, eval_batch, test_images: count } = record.section.settings;
  const named = (of: string, size: number, seen: readonly FedTest[]): FedTests => ({
    images: `${of}images`,
    labels: `${of}labels`,
    batches: seen.map((test) => test.batch),
    batch: size,
    count,
  });
  const asked = evals.flatMap(({ kind }) => {
    const observed = run.evals[kind];
    const size = kind === 'raw' ? eval_batch : batch;
    return 'problem' in observed ? [] : [named(evalName(kind, ''), size, observed.fed)];
  });
  return {
    prefix,
    from,
    steps: run.fed.map((step) => step.batch),
    refreshes: run.refreshes.map((pass) => pass.map((refresh) => refresh.batch)),
    tests: [named('test ', batch, run.evaluated), ...asked],
  };
}

/** A run from step `from` on as tensors, `prefix` before every name. */
export function epochRecording(
  run: ObservedRun,
  record: EpochsRecord,
  from: number,
  prefix: string,
): PartRun {
  const began: PartRun = from === 0 ? drawn(run, record) : { recording: new Map() };
  const { found, refused } = evaluations(run);
  const all = [
    ...began.recording,
    ...decided(run, record, from),
    ...computed(run, record, from),
    ...found,
  ];
  const leftOut = [...(began.leftOut ?? []), ...refused];
  return {
    recording: new Map(all.map(([name, value]) => [prefix + name, value])),
    leftOut: new Map(leftOut.map(([name, why]) => [prefix + name, why])),
    ...(began.weights && { weights: began.weights }),
  };
}
