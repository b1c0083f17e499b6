import { drawsOf } from './draws/mersenne.ts';
import { drawnAt, placeOfViews } from './draws/places.ts';
import {
  belowHalf,
  drawsAnImage,
  type FlipRule,
  flipRules,
  placeOfOrder,
  type Sequence,
} from './draws/sequence.ts';
import type { Finding } from './finding.ts';
import { type PassPair, type WrongBatch, wrongBatches } from './passes.ts';
import type { First, Shown } from './pixels/shown.ts';
import type { FedRecord } from './record.ts';

/** What a worker's draws begin with: the seed, and after how many draws. */
interface Source {
  readonly seed: number;
  readonly skip: number;
}

interface Bases {
  /** Low half of the pass' base seed, of the first pass', and of the sampler's. */
  readonly own: number;
  readonly firstPass: number;
  readonly sampler: number;
}

interface WorkerRule {
  readonly key: string;
  readonly says: string;
  readonly source: (bases: Bases, k: number, workers: number, drawsABatch: number) => Source;
}

const skipped = (k: number, workers: number, drawsABatch: number): number =>
  Math.floor(k / workers) * drawsABatch;

/** Whose draws a batch could be augmented by. */
const workerRules: readonly WorkerRule[] = [
  {
    key: 'right',
    says: '',
    source: ({ own }, k, n, d) => ({ seed: own + (k % n), skip: skipped(k, n, d) }),
  },
  {
    key: 'one seed',
    says: 'every worker has the seed of the first: base_seed, not base_seed + its number',
    source: ({ own }, k, n, d) => ({ seed: own, skip: skipped(k, n, d) }),
  },
  {
    key: 'from 1',
    says: 'every worker has the seed of the next one: base_seed + its number + 1',
    source: ({ own }, k, n, d) => ({ seed: own + (k % n) + 1, skip: skipped(k, n, d) }),
  },
  {
    key: 'first pass',
    says: "every epoch's workers have the seeds of the first epoch's: seeded once",
    source: ({ firstPass }, k, n, d) => ({ seed: firstPass + (k % n), skip: skipped(k, n, d) }),
  },
  {
    key: 'each batch',
    says: 'a worker begins at its seed with each of its batches, not once in a pass',
    source: ({ own }, k, n) => ({ seed: own + (k % n), skip: 0 }),
  },
  {
    key: 'sampler',
    says: "workers are seeded with the sampler's seed, not with base_seed",
    source: ({ sampler }, k, n, d) => ({ seed: sampler + (k % n), skip: skipped(k, n, d) }),
  },
  ...[1, 2, 3, 4, 5, 6, 7, 8].map(
    (n): WorkerRule => ({
      key: `${n} workers`,
      says: `augmented by ${n === 1 ? '1 worker' : `${n} workers`}, the reference by another number of them`,
      source: ({ own }, k, _, d) => ({ seed: own + (k % n), skip: skipped(k, n, d) }),
    }),
  ),
];

const drawnOtherwise = (first: First): string =>
  first === 'flip'
    ? 'flip and crop are drawn and made in the other order: cropped, then flipped'
    : 'flip and crop are drawn and made in the other order: flipped, then cropped';

const found = (key: string, says: string): Finding => ({
  key: `workers ${key}`,
  row: 'fed: workers',
  says,
});

/**
 * Why workers, each with a generator of its own, augment otherwise; undefined where there are none, or
 * nothing explains it.
 */
export function workersFinding(
  passes: readonly PassPair[],
  record: FedRecord,
  sequence: () => Sequence,
): Finding | undefined {
  const { workers, images, batch: size, first } = record;
  if (workers === 0) return undefined;
  const wrong = wrongBatches(passes);
  const { draws } = sequence();
  const seedOf = new Map(
    passes.map((pass) => [pass, placeOfOrder(sequence(), pass.order, 0, images)] as const),
  );
  if ([...seedOf.values()].some((place) => place < 2)) return undefined;
  const basesOf = (pass: PassPair): Bases => {
    const place = seedOf.get(pass)!;
    // The base seed is drawn before the sampler's; of both the low half comes second.
    const low = (at: number): number => draws[at + 1];
    const firstPass = low(seedOf.get(passes[0])! - 2);
    return { own: low(place - 2), firstPass, sampler: low(place) };
  };
  const drawsABatch = drawsAnImage * size;
  const made = (
    rule: WorkerRule,
    { pass, k, batch }: WrongBatch,
    shown: readonly Shown[],
    order: First,
    flip: FlipRule,
  ): boolean => {
    const { seed, skip } = rule.source(basesOf(pass), k, workers, drawsABatch);
    const own = drawsOf(seed, skip + drawsAnImage * batch.ours.length);
    return drawnAt(own, skip, shown, order, flip);
  };
  const [right] = workerRules;
  if (!wrong.every((w) => made(right, w, w.batch.theirs.shown, first, belowHalf))) return undefined;
  for (const order of [first, first === 'flip' ? 'crop' : 'flip'] as const) {
    for (const flip of flipRules) {
      for (const rule of workerRules) {
        if (!wrong.every((w) => made(rule, w, w.batch.ours, order, flip))) continue;
        const says = [
          ...(rule === right ? [] : [rule.says]),
          ...(order === first ? [] : [drawnOtherwise(first)]),
          ...(flip === belowHalf ? [] : [flip.says!]),
        ];
        return found(`${rule.key} ${order} ${flip.key}`, says.join('; '));
      }
    }
  }
  const [{ pass, batch }] = wrong;
  const main = placeOfViews(sequence(), batch.ours, first, seedOf.get(pass)!);
  return main < 0
    ? undefined
    : found(
        'no workers',
        `augmented by draws of the run's own generator, at ${main}, not by the ${workers} workers: num_workers ignored`,
      );
}
