import { manualSeed, skipU32, type TorchGenerator } from './generator.ts';
import { randomInt64, randperm } from './integers.ts';

/** How a `torch.utils.data.DataLoader` over a map-style dataset was set up. */
export interface EpochOptions {
  /** Samples in the dataset. */
  readonly size: number;
  readonly shuffle: boolean;
  /** `num_workers`; 0 loads in the main process, on the main generator. */
  readonly workers: number;
}

/** All that one pass of a loader drew: enough, with its options, to make the same pass again. */
export interface EpochSeeds {
  readonly baseSeed: bigint;
  /** Absent without shuffling. */
  readonly samplerSeed?: bigint;
}

/** One pass of a loader, as plain data. */
export interface EpochPlan extends EpochSeeds {
  /** The sample at each place of the pass. */
  readonly order: Int32Array;
  readonly workers: number;
}

/** The pass that these seeds make. */
export function planEpoch(seeds: EpochSeeds, { size, workers }: EpochOptions): EpochPlan {
  const order =
    seeds.samplerSeed === undefined
      ? Int32Array.from({ length: size }, (_, i) => i)
      : randperm(manualSeed(seeds.samplerSeed), size);
  return { ...seeds, order, workers };
}

/**
 * `iter(loader)`: draws the workers' base seed and, when shuffling, the sampler's seed, two draws
 * each. (Without workers PyTorch draws the second at the first batch, but nothing comes between.)
 * Source: torch/utils/data/dataloader.py, _BaseDataLoaderIter; sampler.py, RandomSampler.
 */
export function startEpoch(g: TorchGenerator, options: EpochOptions): EpochPlan {
  const baseSeed = randomInt64(g);
  return planEpoch(
    options.shuffle ? { baseSeed, samplerSeed: randomInt64(g) } : { baseSeed },
    options,
  );
}

/** What a whole pass of an unshuffled, undisturbed evaluation loader draws: its base seed. */
export function evaluationPassDraws(g: TorchGenerator): void {
  skipU32(g, 2);
}

/** The number of batches in a pass, the short last one included. */
export const batchCount = (size: number, batchSize: number): number => Math.ceil(size / batchSize);

/** The samples of batch `k`; the last batch may be short. */
export const batchOrder = (plan: EpochPlan, k: number, batchSize: number): Int32Array =>
  plan.order.slice(k * batchSize, (k + 1) * batchSize);

/**
 * The generator that batch `k`'s transforms draw from, at the place where they begin: `main` itself
 * without workers, otherwise a copy of its worker's. Worker w is seeded with base_seed + w in every
 * pass and loads batches w, w + W, …; all before the last are full, so its place is known without
 * making them. Source: torch/utils/data/_utils/worker.py.
 */
export function batchGenerator(
  plan: EpochPlan,
  k: number,
  drawsPerBatch: number,
  main: TorchGenerator,
): TorchGenerator {
  if (plan.workers === 0) return main;
  const worker = manualSeed(BigInt.asUintN(64, plan.baseSeed + BigInt(k % plan.workers)));
  skipU32(worker, Math.floor(k / plan.workers) * drawsPerBatch);
  return worker;
}
