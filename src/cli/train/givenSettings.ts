import type { Reduction } from '../../distributed/reduce.ts';
import { modelName } from '../../nn/models/index.ts';
import type { Seed } from '../../torch/seed.ts';
import { datasetName } from '../../train/dataset.ts';
import type { RankSeeding } from '../../train/settings/distribution.ts';
import { profileSettings } from '../../train/settings/profiles.ts';
import type { GivenSettings } from '../../train/settings/trainingSettings.ts';
import type { BackendFlags, PrecisionFlag } from '../arguments/backendFlags.ts';
import type { ReportFlag } from './runReportFiles.ts';

/** Flags that are settings of the run, under the settings' own names. */
type SettingFlags = Omit<GivenSettings, 'model' | 'dataset' | 'dropout' | 'distributed'>;

/** The flags of `train`. */
export interface TrainFlags extends SettingFlags, BackendFlags, PrecisionFlag {
  readonly model?: string;
  readonly dataset?: string;
  readonly profile?: string;
  readonly dir?: string;
  readonly dataPath?: string;
  /** True without a file; `auto` also begins a run. */
  readonly resume?: string | true;
  readonly weights?: string;
  readonly saveFreq: number;
  readonly saveEverySteps?: number;
  readonly keep?: number;
  readonly steps?: number;
  readonly logSteps?: string;
  readonly seeds?: readonly Seed[];
  readonly report?: ReportFlag;
  readonly distributed?: boolean;
  readonly reduce?: Reduction;
  readonly rankSeeds?: RankSeeding;
  readonly mpiLibrary?: string;
}

/** Flags that say how ranks work together. */
export const rankFlags = {
  reduce: '--reduce',
  rankSeeds: '--rank-seeds',
  mpiLibrary: '--mpi-library',
} as const satisfies { readonly [name in keyof TrainFlags]?: string };

export const settingFlags = [
  'narrow',
  'batchSize',
  'numWorkers',
  'epochs',
  'evalFreq',
  'lrInit',
  'momentum',
  'wd',
  'swa',
  'swaStart',
  'swaLr',
  'swaCEpochs',
  'seed',
] as const satisfies readonly (keyof SettingFlags)[];

/** Only what was on the command line: the rest is the recipe's, or the resumed run's. */
export function givenSettings(flags: TrainFlags): GivenSettings {
  const { model, dataset, profile } = flags;
  const named = settingFlags.flatMap((name) =>
    flags[name] === undefined ? [] : [[name, flags[name]] as const],
  );
  return {
    ...(profile === undefined ? {} : profileSettings(profile)),
    ...(model === undefined ? {} : { model: modelName(model) }),
    ...(dataset === undefined ? {} : { dataset: datasetName(dataset) }),
    ...(Object.fromEntries(named) as GivenSettings),
  };
}
