import { z } from 'zod';
import { UsageError } from '../../errors.ts';
import { checkNarrow, type ModelName, models } from '../../nn/models/index.ts';
import type { OptimizerSettings } from '../../optim/optimizer.ts';
import type { ScheduleSettings } from '../../optim/schedule.ts';
import { seedSchema } from '../../torch/seed.ts';
import { counted } from '../../words.ts';
import { distributedSchema, resumedDistribution } from './distribution.ts';

export const datasetNames = ['cifar10', 'cifar100', 'synthetic'] as const;
export type DatasetName = (typeof datasetNames)[number];

/**
 * Everything that decides a run's numbers, and nothing else: two runs with the same settings on the
 * same data and backend end in the same bits. Named like the arguments of the SWA authors' train.py.
 */
export const settingsSchema = z.strictObject({
  model: z.enum(Object.keys(models) as [ModelName, ...ModelName[]]),
  /** Divides every width of the model; absent where it is as wide as in the paper. */
  narrow: z.int().min(2).optional(),
  dataset: z.enum(datasetNames),
  batchSize: z.int().min(1),
  /** Data-loading processes that PyTorch would use: they decide which generator augments. */
  numWorkers: z.int().min(0),
  epochs: z.int().min(1),
  /** Evaluate after the first, the last and every `evalFreq`-th epoch. */
  evalFreq: z.int().min(1),
  lrInit: z.number().positive(),
  momentum: z.number().min(0).max(1),
  /** Weight decay, an L2 penalty on every parameter. */
  wd: z.number().min(0),
  dropout: z.boolean(),
  swa: z.boolean(),
  /** The first epoch, counted from 1, after which the weights are averaged. */
  swaStart: z.int().min(1),
  swaLr: z.number().positive(),
  /** Average after every `swaCEpochs`-th epoch from then on. */
  swaCEpochs: z.int().min(1),
  seed: seedSchema,
  /** Absent where one process trains alone. */
  distributed: distributedSchema.optional(),
});

export type TrainingSettings = Readonly<z.infer<typeof settingsSchema>>;

/** Settings somebody named; what is absent is left to the recipe, or to the run that is resumed. */
export type GivenSettings = { readonly [K in keyof TrainingSettings]?: TrainingSettings[K] };

/** The widths of the paper: as a flag says them, where settings leave them out. */
const fullWidth = 1;

/** VGG-16 on CIFAR-10 as published (Izmailov et al. 2018, section 5.1; the repository's README). */
export const recipe: TrainingSettings = {
  model: 'vgg16',
  dataset: 'cifar10',
  batchSize: 128,
  numWorkers: 0,
  epochs: 200,
  evalFreq: 5,
  lrInit: 0.05,
  momentum: 0.9,
  wd: 5e-4,
  dropout: true,
  swa: false, // the authors' scripts add --swa
  swaStart: 161,
  swaLr: 0.01,
  swaCEpochs: 1,
  seed: 1,
};

/** Whoever reads a message knows a setting by its flag: `swaStart` → `--swa-start`. */
export const flagOf = (setting: string): string =>
  setting === 'dropout'
    ? '--profile'
    : `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Checks settings that come from outside. Throws UsageError, naming `where` and the flag at fault. */
export function parseSettings(value: unknown, where?: string): TrainingSettings {
  const place = where === undefined ? {} : { where };
  const parsed = settingsSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = String(issue.path[0] ?? '');
    throw new UsageError(`${name === '' ? 'settings' : flagOf(name)}: ${issue.message}`, place);
  }
  const { model, narrow = fullWidth, swa, swaStart, epochs } = parsed.data;
  checkNarrow(model, narrow, where);
  if (swa && swaStart > epochs) {
    throw new UsageError(
      `--swa-start ${swaStart} is after the last of ${counted(epochs, 'epoch')}, so nothing would be averaged`,
      { ...place, fix: `give --swa-start ${epochs} or less, more --epochs, or leave --swa out` },
    );
  }
  return parsed.data;
}

/** The recipe with what was given put in its place. Throws UsageError where that does not fit together. */
export function settingsFrom(given: GivenSettings): TrainingSettings {
  const { narrow = fullWidth, ...others } = given;
  const settings = parseSettings({
    ...recipe,
    ...others,
    ...(narrow !== fullWidth && { narrow }),
  });
  const idle = (['swaStart', 'swaLr', 'swaCEpochs'] as const).find((k) => given[k] !== undefined);
  if (!settings.swa && idle !== undefined) {
    throw new UsageError(`${flagOf(idle)} does nothing without --swa`, { fix: 'add --swa' });
  }
  return settings;
}

/**
 * The settings of a resumed run: its own. Throws UsageError, naming the checkpoint, when one was given
 * that differs, because the run would no longer be the one that was begun.
 */
export function resumedSettings(
  began: TrainingSettings,
  given: GivenSettings,
  where: string,
): TrainingSettings {
  resumedDistribution(began.distributed, given.distributed, where);
  const { distributed: _, ...own } = { narrow: fullWidth, ...began };
  for (const name of Object.keys(own) as (keyof typeof own)[]) {
    const wanted = given[name];
    if (wanted === undefined || wanted === own[name]) continue;
    throw new UsageError(
      `the run began with ${flagOf(name)} ${shown(name, own[name])}, not ${shown(name, wanted)}`,
      {
        where,
        fix: `leave ${flagOf(name)} out to continue the run, or start again in another --dir`,
      },
    );
  }
  return began;
}

/** A switch reads as on or off, and dropout as the profile that decides it. */
const shown = (
  name: keyof TrainingSettings,
  value: string | number | boolean | undefined,
): string => {
  if (name === 'dropout') return value === true ? 'with dropout' : 'without dropout';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
};

/** The optimizer of the SWA authors' train.py. */
export const optimizerOf = ({ momentum, wd }: TrainingSettings): OptimizerSettings => ({
  kind: 'sgd',
  momentum,
  weightDecay: wd,
});

/** What the learning-rate schedule needs to know. */
export const scheduleOf = ({
  lrInit,
  epochs,
  swa,
  swaStart,
  swaLr,
}: TrainingSettings): ScheduleSettings =>
  swa ? { lrInit, epochs, swa: { start: swaStart, lr: swaLr } } : { lrInit, epochs };
