import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../errors.ts';
import { concatBytes } from '../../io/concat.ts';
import type { DirectoryFiles } from '../../io/output/directory.ts';
import { safetensorsChunks } from '../../io/safetensors/safetensors.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { models, modelTitle } from '../../nn/models/index.ts';
import { type CardData, type CardFacts, modelCard } from '../../report/training/modelCard.ts';
import type { RunReport } from '../../report/training/runReport.ts';
import { sizeOf } from '../../tensor/shape.ts';
import {
  configFile,
  type ModelConfig,
  modelFormat,
  onnxFile,
  weightsFile,
} from '../../train/checkpoint/modelConfig.ts';
import type { TrainedModel } from '../../train/checkpoint/trainedModel.ts';
import { classNames } from '../../train/dataset.ts';
import { flagOf, type TrainingSettings } from '../../train/settings/trainingSettings.ts';
import { asFloat32, stateDict } from '../../train/stateDict.ts';
import { packageVersion } from '../../version.ts';
import { counted } from '../../words.ts';
import { onnxOf } from './onnxOf.ts';

/** What somebody knows of a model that its file does not. */
export interface HubWords {
  /** The directory's own name. */
  readonly name: string;
  /** What the images are that it was trained and tested on. */
  readonly dataNote?: string;
  /** The report of its run, and where that lies. */
  readonly report?: { readonly run: RunReport; readonly where: string };
}

const json = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** Throws UsageError where a report is another run's: a card must not tell one model's story of another. */
function checkReport({ run }: TrainedModel, { report }: HubWords): void {
  if (report === undefined) return;
  const { where } = report;
  if (run === undefined) {
    throw new UsageError('a file of weights does not say which run it is from', {
      where,
      fix: 'name a checkpoint of the run, or leave --run out',
    });
  }
  const { rows, dataset } = report.run;
  const same =
    isDeepStrictEqual(rows, run.rows) &&
    dataset.train.sha256 === run.data.train &&
    dataset.test.sha256 === run.data.test;
  if (same) return;
  throw new UsageError('is the report of another run than the checkpoint: log or data differ', {
    where,
    fix: "name the report of the checkpoint's own run, and its last checkpoint",
  });
}

const layouts: { readonly [D in TrainingSettings['dataset']]: Pick<CardData, 'said' | 'type'> } = {
  cifar10: {
    said: "Images in the binary layout of CIFAR-10; nothing here says that they are CIFAR-10's own",
    type: 'cifar10-layout',
  },
  cifar100: {
    said: "Images in the binary layout of CIFAR-100; nothing here says that they are CIFAR-100's own",
    type: 'cifar100-layout',
  },
  synthetic: { said: 'The synthetic images that come with swa-align', type: 'synthetic' },
};

function dataOf(
  { run, dataset }: TrainedModel,
  { dataNote, report }: HubWords,
): CardData | undefined {
  if (run === undefined || dataset === undefined) return undefined;
  const { said, type } = layouts[dataset];
  const split = (of: 'train' | 'test') => ({
    sha256: run.data[of],
    ...(report && { images: report.run.dataset[of].images }),
  });
  return { said: dataNote ?? said, type, train: split('train'), test: split('test') };
}

/** The settings by their flags; those of SWA only where it averages. */
function recipeOf({ run, settings }: TrainedModel): CardFacts['recipe'] {
  if (run === undefined) return undefined;
  const ofSwa = new Set(['swaStart', 'swaLr', 'swaCEpochs']);
  return Object.entries(settings)
    .filter(([name]) => settings.swa || !ofSwa.has(name))
    .map(([name, value]) => [
      name === 'dropout' ? 'dropout' : flagOf(name),
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]);
}

const andSteps = (step: number): string => (step === 0 ? '' : ` and ${counted(step, 'step')}`);

function weightsSaid({ run, kind }: TrainedModel): string | undefined {
  if (kind === 'swa') {
    return run === undefined
      ? 'the average of SWA'
      : `the average by SWA of ${counted(run.averaged, 'model')}`;
  }
  return run === undefined
    ? undefined
    : `the weights of SGD after ${counted(run.position.epoch, 'epoch')}${andSteps(run.position.step)}`;
}

function madeBy({ run }: TrainedModel, { report }: HubWords): CardFacts['madeBy'] {
  const rows: [string, string][] = [];
  if (run !== undefined)
    rows.push(['trained on', report ? String(report.run.backend.description) : run.backend]);
  if (report !== undefined) {
    const { versions, platform, by } = report.run;
    rows.push(['trained by', by]);
    for (const [name, version] of Object.entries({ ...versions, ...platform })) {
      if (name !== 'swa-align') rows.push([name, String(version)]);
    }
  }
  rows.push(['exported by', `swa-align ${packageVersion}`]);
  return rows;
}

/** Throws UsageError where what is said of a model does not fit it. */
function config(trained: TrainedModel, sha256: Record<string, string>): ModelConfig {
  const { model, settings, dataset, run, kind } = trained;
  const names = dataset && classNames(dataset);
  const [channels, side] = model.image;
  return {
    format: modelFormat,
    model_type: settings.model,
    architectures: [models[settings.model].title],
    narrow: settings.narrow ?? 1,
    num_labels: model.state[model.state.length - 1].shape[0],
    ...(names && {
      id2label: Object.fromEntries(names.map((name, i) => [i, name])),
      label2id: Object.fromEntries(names.map((name, i) => [name, i])),
    }),
    num_channels: channels,
    image_size: side,
    ...(dataset && { dataset }),
    ...((run !== undefined || kind === 'swa') && { weights: kind }),
    ...(run && { training: settings }),
    sha256,
  };
}

/**
 * A trained model as the files of a directory on Hugging Face's Hub. The same model makes the same bytes. Throws
 * UsageError where what is said of the model does not fit it.
 */
export function hubFiles(trained: TrainedModel, words: HubWords): DirectoryFiles {
  checkReport(trained, words);
  const { model, weights, settings, run } = trained;
  const [channels, side] = model.image;
  const { mean, std } = models[settings.model].preparation.normalisation;
  const tensors = asFloat32(stateDict(model, weights, 0));
  const binary = new Map([
    [weightsFile, concatBytes([...safetensorsChunks(tensors, { format: 'pt' })])],
    [onnxFile, onnxOf(trained, false)],
  ]);
  const sha256 = Object.fromEntries([...binary].map(([name, bytes]) => [name, sha256Hex(bytes)]));
  const said = weightsSaid(trained);
  const data = dataOf(trained, words);
  const recipe = recipeOf(trained);
  const own = config(trained, sha256);
  const card = modelCard({
    name: words.name,
    title: modelTitle(settings),
    parameters: model.state
      .filter(({ role }) => role === 'parameter')
      .reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    image: { channels, side },
    classes: own.num_labels,
    preparation: { mean, std },
    ...(said !== undefined && { weights: said }),
    ...(data && { data }),
    ...(run?.tested && { metrics: run.tested }),
    ...(recipe && { recipe }),
    madeBy: madeBy(trained, words),
    sha256,
  });
  return new Map([
    ...binary,
    [configFile, json(own)],
    [
      'preprocessor_config.json',
      json({
        do_resize: false,
        size: { height: side, width: side },
        do_rescale: true,
        rescale_factor: 1 / 255,
        do_normalize: true,
        image_mean: mean,
        image_std: std,
      }),
    ],
    ['README.md', new TextEncoder().encode(card)],
  ]);
}
