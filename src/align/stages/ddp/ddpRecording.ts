import { concatBytes } from '../../../io/concat.ts';
import { bytesOf, fromBytes, type Tensor, type TensorMap, tensor } from '../../../tensor/tensor.ts';
import type { Reference } from '../../reference/reference.ts';
import { weightDigests } from '../sameStart.ts';
import type { PartRun } from '../stage.ts';
import { type DdpRecord, heldGradients, meanName, prefixOf, stepCount } from './ddpRecord.ts';
import type { RankFindings } from './ranks.ts';

/** What is asked of all ranks alike, their rows one behind the other. */
const ofAllRanks = ['samples', 'batch sizes', 'labels', 'images', 'mask0', 'mask1'];

/** What is asked of rank 0 alone. */
const ofRank0 = [
  'batch-norm refresh',
  'test labels',
  'test images',
  'testLoss',
  'testAccuracy',
  'swaTestLoss',
  'swaTestAccuracy',
];

export const lossName = (step: number, rank: number): string => `loss@${step} of rank ${rank}`;

export const stateName = (rank: number): string => `weights and buffers of rank ${rank}`;

/** The rows of every rank, rank by rank; undefined where none has any. */
function rowsOfAll(all: readonly (Tensor | undefined)[]): Tensor | undefined {
  const there = all.filter((t) => t !== undefined);
  if (there.length === 0) return undefined;
  const [{ dtype, shape }] = there;
  const rows = there.reduce((sum, t) => sum + t.shape[0], 0);
  return fromBytes(dtype, [rows, ...shape.slice(1)], concatBytes(there.map(bytesOf)));
}

const asRow = (t: Tensor | undefined): Tensor | undefined =>
  t && fromBytes(t.dtype, [1, t.data.length], bytesOf(t));

/** A number of a list, by itself. */
const numberAt = (list: Tensor | undefined, i: number): Tensor | undefined =>
  list && tensor('float32', [], Float32Array.of(Number(list.data[i])));

/** The values below a prefix, by what follows it. */
const below = (recording: TensorMap, prefix: string): Map<string, Tensor> =>
  new Map(
    [...recording].flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
    ),
  );

/** Of each weight and buffer before each step, whether a rank's bits were rank 0's: 1 or 0, a step after the other. */
function sameAs(first: Tensor | undefined, own: Tensor | undefined): Tensor | undefined {
  if (first === undefined || own === undefined) return undefined;
  const [rows, width] = own.shape;
  const same = (row: number): boolean => {
    for (let i = row * width; i < (row + 1) * width; i++) {
      if (own.data[i] !== first.data[i]) return false;
    }
    return true;
  };
  return tensor(
    'uint8',
    [rows],
    Uint8Array.from({ length: rows }, (_, row) => Number(same(row))),
  );
}

/** What the ranks found together, by the names of the verdicts. */
export function ddpRecording(
  findings: readonly RankFindings[],
  reference: Reference,
  record: DdpRecord,
): PartRun {
  const { section, arrays, settings } = record;
  const prefix = prefixOf(record);
  const recordings = findings.map(({ recording }) => recording);
  const [first, ...others] = recordings;
  const ofAll = (name: string) => recordings.map((recording) => recording.get(name));

  const drawn = new Map(
    [...below(first, 'start/')].filter(([name]) => !name.endsWith('.momentum')),
  );
  const began = weightDigests(drawn, section.weights.sha256);
  const states = first.get('states');
  const steps = Array.from({ length: stepCount(record) }, (_, step) => step);
  const means = Array.from({ length: settings.steps }, (_, k) => k + 1).flatMap((step) =>
    heldGradients(reference, record).map(({ name }) => meanName(step, name)),
  );
  const told: (readonly [string, Tensor | undefined])[] = [
    ...ofAllRanks.map((name) => [name, rowsOfAll(ofAll(name))] as const),
    ...[...began.recording].map(([name, t]) => [name, states && t] as const),
    ...others.map(
      (recording, i) => [stateName(i + 1), sameAs(states, recording.get('states'))] as const,
    ),
    ...steps.flatMap((step) =>
      ofAll('losses').map((list, rank) => [lossName(step, rank), numberAt(list, step)] as const),
    ),
    ...ofRank0.map((name) => [name, first.get(name)] as const),
  ];
  const ends = [
    [prefix, below(first, 'end/')] as const,
    ...others.map((of, i) => [`${prefix}, rank ${i + 1}`, below(of, 'end/')] as const),
    [`${prefix}, average`, below(first, 'average/')] as const,
  ].flatMap(([group, values]) =>
    [...values].map(([name, value]) => [`${group}/${name}`, value] as const),
  );
  const kept = ([name]: readonly [string, Tensor]): boolean =>
    arrays.has(`f32/${name}`) || arrays.has(`f32/${name}#sample`);
  const all = [
    ...told.map(([name, value]) => [`${prefix}: ${name}`, value] as const),
    ...means.map((name) => [`${prefix}, ${name}`, rowsOfAll(ofAll(name).map(asRow))] as const),
    ...ends.filter(kept),
  ];
  const problem = findings.find((found) => found.problem !== undefined)?.problem;
  const missing = all.flatMap(([name, value]) => (value === undefined ? [name] : []));
  return {
    recording: new Map(all.flatMap(([name, value]) => (value ? [[name, value]] : []))),
    ...(problem !== undefined && { leftOut: new Map(missing.map((name) => [name, problem])) }),
    notes: states ? (began.notes ?? []) : [],
  };
}
