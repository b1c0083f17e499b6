import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { type Seed, seedFrom } from '../../torch/seed.ts';
import { isSettled } from '../checkpoint/checkpoint.ts';
import {
  type FoundCheckpoint,
  listCheckpoints,
  newestCheckpoint,
} from '../checkpoint/checkpointFiles.ts';
import { modelPart } from '../checkpoint/runDirectory.ts';
import type { LogRow } from '../logRow.ts';
import {
  type GivenSettings,
  resumedSettings,
  type TrainingSettings,
} from '../settings/trainingSettings.ts';

/*
 * The same run from several seeds, in turn. Each has its own directory, in which everything is found that
 * says how far it is, so that the same command goes on wherever it was stopped.
 */

/** The directory of seeds that names none. SGD and SWA share it: one table then holds both. */
export const seedsDirectory = (settings: TrainingSettings): string =>
  join('checkpoints', `${modelPart(settings)}-${settings.dataset}-seeds`);

type Method = Pick<TrainingSettings, 'swa'>;

/** The directory of one run below that of all: `sgd-seed1`, `swa-seed1`. */
export const seedDirectory = (dir: string, { swa }: Method, seed: Seed): string =>
  join(dir, `${swa ? 'swa' : 'sgd'}-seed${seed}`);

const namePattern = { sgd: /^sgd-seed(-?\d+)$/, swa: /^swa-seed(-?\d+)$/ };

/** The seed that a directory's name tells; undefined for another name. */
export function seedOf(name: string, { swa }: Method): Seed | undefined {
  const match = namePattern[swa ? 'swa' : 'sgd'].exec(name);
  return match === null ? undefined : seedFrom(match[1]);
}

/** How far a seed's run is. */
export interface SeedProgress {
  readonly settings: TrainingSettings;
  readonly rows: readonly LogRow[];
  /** All epochs are done and the final weights are written. */
  readonly finished: boolean;
}

/** The weights are written after the last checkpoint, in this order, the last of them when all is done. */
const lastFile = ({ model, swa }: TrainingSettings): string =>
  swa ? `${model}-swa.npz` : `${model}.safetensors`;

function progressAt(directory: string, { checkpoint }: FoundCheckpoint): SeedProgress {
  const { settings, position, rows } = checkpoint;
  const finished =
    position.epoch === settings.epochs &&
    isSettled(checkpoint) &&
    existsSync(join(directory, lastFile(settings)));
  return { settings, rows, finished };
}

/** Undefined where nothing has begun. Throws InputError when there are checkpoints and none is whole. */
export function seedProgress(directory: string): SeedProgress | undefined {
  if (listCheckpoints(directory).length === 0) return undefined;
  return progressAt(directory, newestCheckpoint(directory));
}

/** What is to be done for a seed. */
export interface SeedPlan {
  readonly seed: Seed;
  readonly settings: TrainingSettings;
  readonly directory: string;
  readonly state: 'new' | 'unfinished' | 'finished';
}

const differences = (began: TrainingSettings, wanted: TrainingSettings): string[] =>
  (Object.keys(began) as (keyof TrainingSettings)[])
    .filter((name) => began[name] !== wanted[name])
    .map((name) => `${name} ${began[name]}, not ${wanted[name]}`);

/**
 * Looks at every seed's directory before the first step is made. Throws UsageError when a run there began
 * with other settings than the rest, because a mean over both would say nothing.
 */
export function planSeeds(
  dir: string,
  seeds: readonly Seed[],
  settings: TrainingSettings,
  given: GivenSettings,
): SeedPlan[] {
  return seeds.map((seed) => {
    const directory = seedDirectory(dir, settings, seed);
    const wanted = { ...settings, seed };
    const progress = seedProgress(directory);
    if (progress === undefined) return { seed, settings: wanted, directory, state: 'new' };
    const began = resumedSettings(progress.settings, { ...given, seed }, directory);
    const [other] = differences(began, wanted);
    if (other !== undefined) {
      throw new UsageError(`the run began with ${other}`, {
        where: directory,
        fix: 'give the flags that the seeds began with, or start again in another --dir',
      });
    }
    return {
      seed,
      settings: wanted,
      directory,
      state: progress.finished ? 'finished' : 'unfinished',
    };
  });
}
