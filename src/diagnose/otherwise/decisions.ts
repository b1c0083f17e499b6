import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { counted } from '../../words.ts';
import { epochsOf, type RunSettings } from './settings.ts';
import type { Variant } from './variant.ts';

const list = (values: readonly number[]): Tensor =>
  tensor('float64', [values.length], Float64Array.from(values));

/** Whether the weights of an epoch, counted from 1, join the average. */
type Joins = (epoch: number) => boolean;

interface OtherJoins {
  readonly key: string;
  readonly says: string;
  readonly joins: Joins;
}

const mostShift = 3;
const ordinals = ['', 'every', 'every second', 'every third', 'every fourth', 'every fifth'];
const everyNth = (n: number): string => ordinals[n] ?? `every ${n}th`;

function* otherJoins({ start, cycle }: NonNullable<RunSettings['swa']>): Generator<OtherJoins> {
  for (let by = 1; by <= mostShift; by++) {
    for (const [way, sign] of [['late', by] as const, ['early', -by] as const]) {
      const first = start + sign;
      yield {
        key: `average ${by} ${way}`,
        says: `the average begins with epoch ${first}, the reference's with swa_start = ${start}: ${counted(by, 'epoch')} ${way}`,
        joins: (epoch) => epoch >= first && (epoch - first) % cycle === 0,
      };
    }
  }
  for (let n = 1; n < 10; n++) {
    if (n === cycle) continue;
    yield {
      key: `cycle ${n}`,
      says: `a model joins the average after ${everyNth(n)} epoch, the reference's after ${everyNth(cycle)}: swa_c_epochs fits ${n}, not ${cycle}`,
      joins: (epoch) => epoch >= start && (epoch - start) % n === 0,
    };
  }
  for (const [counts, offset] of [['from 1', 0] as const, ['from 0', 1] as const]) {
    yield {
      key: `cycles counted ${counts}`,
      says: `other epochs join the average: cycles are counted from the run's first epoch (epochs ${counts}), not from swa_start = ${start}`,
      joins: (epoch) => epoch >= start && (epoch - offset) % cycle === 0,
    };
  }
  yield { key: 'nothing joins', says: 'no model joins the average', joins: () => false };
}

/** How many models the average holds after each epoch, were others to join it. */
export function* averagedVariants(run: RunSettings): Generator<Variant> {
  const { swa, epochs } = run;
  if (swa === undefined) return;
  const ends = epochsOf(run);
  const all = Array.from({ length: epochs }, (_, i) => i + 1);
  const held = (joins: Joins, from = 0): Tensor =>
    list(ends.map((end) => all.filter((e) => e > from && e <= end + 1 && joins(e)).length));
  const [first] = ends;
  if (first > 0) {
    yield {
      key: 'average anew',
      says: 'the average begins anew on resuming: it holds fewer models',
      value: held((epoch) => epoch >= swa.start && (epoch - swa.start) % swa.cycle === 0, first),
    };
  }
  for (const { key, says, joins } of otherJoins(swa)) yield { key, says, value: held(joins) };
}

interface Told {
  /** After how many epochs the model is tested. */
  readonly evalFreq: number;
  /** Whether what is told is of the average. */
  readonly average: boolean;
}

/** Epochs, counted from 1, after which the log tells a test, were it done at other times. */
export function* toldVariants(run: RunSettings, { evalFreq, average }: Told): Generator<Variant> {
  const { epochs, swa } = run;
  const all = Array.from({ length: epochs }, (_, i) => i + 1);
  const joins: Joins = (epoch) =>
    swa !== undefined &&
    epoch >= swa.start &&
    ((epoch - swa.start) % swa.cycle === 0 || epoch === epochs);
  const told = (tests: Joins): Tensor =>
    list(all.filter((epoch) => tests(epoch) && (!average || joins(epoch))));
  const every = (n: number, first = true, last = true): Joins => {
    return (epoch) => (first && epoch === 1) || (last && epoch === epochs) || epoch % n === 0;
  };
  const other = (key: string, says: string, tests: Joins): Variant => ({
    key: `tested ${key}`,
    says: `tested after other epochs: ${says}`,
    value: told(tests),
  });
  for (let n = 1; n <= epochs; n++) {
    if (n === evalFreq) continue;
    yield other(`${n}`, `eval_freq fits ${n}, the reference's is ${evalFreq}`, every(n));
  }
  yield other('not first', 'not after the first', every(evalFreq, false));
  yield other('not last', 'not after the last', every(evalFreq, true, false));
  yield other('only at times', 'not after the first and the last', every(evalFreq, false, false));
  yield other('from 0', `eval_freq = ${evalFreq} counted from 0`, (epoch) => {
    return epoch === 1 || epoch === epochs || (epoch - 1) % evalFreq === 0;
  });
}

interface Loaded {
  /** Images of a training set, and of a batch. */
  readonly images: number;
  readonly batch: number;
}

/** Images of each step, were batches made otherwise. */
export function* sizeVariants(
  { epochs, from, steps }: RunSettings,
  { images, batch }: Loaded,
): Generator<Variant> {
  const sizes = (size: number): number[] =>
    Array.from({ length: Math.ceil(images / size) }, (_, k) => Math.min(size, images - k * size));
  const run = (epoch: readonly number[]): number[] =>
    Array.from({ length: epochs }, () => epoch).flat();
  const right = run(sizes(batch)).slice(from);
  const short = images % batch;
  if (short > 0) {
    const full = sizes(batch).slice(0, -1);
    yield {
      key: 'short batch dropped',
      says: `the last, short batch of ${short} is missing in every epoch`,
      value: list(run(full).slice(Math.floor(from / steps) * full.length + (from % steps))),
    };
    yield {
      key: 'short batch filled',
      says: `the last batch of an epoch has ${batch} images, not the ${short} that are left`,
      value: list(right.map(() => batch)),
    };
  }
  for (let missing = 1; missing < Math.min(right.length, 2 * steps); missing++) {
    yield {
      key: `steps missing ${missing}`,
      says: `the first ${counted(missing, 'step')}${from > 0 ? ' after resuming' : ''} ${missing > 1 ? 'are' : 'is'} missing: skipped, or a batch drawn and lost`,
      value: list(right.slice(missing)),
    };
  }
  for (let size = 1; size <= images; size++) {
    if (size === batch) continue;
    const done = Math.floor(from / steps);
    yield {
      key: `batch of ${size}`,
      says: `in batches of ${size}, the reference's of ${batch}`,
      value: list(run(sizes(size)).slice(done * sizes(size).length + (from % steps))),
    };
  }
}
