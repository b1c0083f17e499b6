import { releasing } from '../../backends/holding.ts';
import { readCifar10 } from '../../data/cifar.ts';
import { evaluationBatches } from '../../data/loader.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { learningRate } from '../../optim/schedule.ts';
import { bytesOf, type Tensor, tensor } from '../../tensor/tensor.ts';
import { manualSeed } from '../../torch/generator.ts';
import { refreshBatchNorm, refreshPrograms } from '../../train/averaging/refreshBatchNorm.ts';
import { compileAverage, emptyAverage, joinAverage } from '../../train/averaging/swaAverage.ts';
import { counted } from '../../words.ts';
import type { Expectation } from '../judge/expectation.ts';
import { tolerances } from '../judge/tolerances.ts';
import { isConstant } from '../measure/constant.ts';
import { recorded, recordedNames } from '../reference/recorded.ts';
import { arrayOf, type Reference } from '../reference/reference.ts';
import { drawnWeights, startingWeights } from '../reference/seedWeights.ts';
import { digestRows, sameStart } from './sameStart.ts';
import type { Part, Stage, StageContext } from './stage.ts';

const arraysOf = (reference: Reference) => reference.arrays(reference.stage('swa').file);

const namesUnder = (reference: Reference, prefix: string): string[] =>
  recordedNames(arraysOf(reference), prefix);

/** The learning-rate schedules as published, the running average, and the refresh of batch norm. */
export const swa: Stage = (reference) => {
  const { settings } = reference.stage('swa');
  const holds = (prefix: string): boolean => namesUnder(reference, prefix).length > 0;
  return [
    ...(settings.schedules === undefined ? [] : [schedules]),
    ...(holds('average/') ? [average] : []),
    ...(holds('bn_refresh/') ? [sameStart, batchNorm] : []),
  ];
};

/** Every recorded tensor under a prefix, by its distance to the truth. */
const within = (reference: Reference, prefix: string, names: readonly string[]): Expectation[] =>
  names.map((name) => ({
    name: prefix + name,
    rule: {
      kind: 'float64',
      record: recorded(arraysOf(reference), prefix + name)!,
      tolerance: { relativeL2: tolerances.relativeL2 },
    },
  }));

/** Every epoch's learning rate, to the last bit of a float64. */
const schedules: Part = {
  async run({ reference }) {
    const { schedules: named = {}, lr_init, swa_lr } = reference.stage('swa').settings;
    const rates = Object.entries(named).map(([name, { epochs, swa_start: start }]) => {
      const averaging = start === undefined ? {} : { swa: { start, lr: swa_lr! } };
      const settings = { lrInit: lr_init!, epochs, ...averaging };
      const each = Float64Array.from({ length: epochs }, (_, epoch) =>
        learningRate(epoch, settings),
      );
      return [`schedule/${name}`, tensor('float64', [epochs], each)] as const;
    });
    return { recording: new Map<string, Tensor>(rates) };
  },
  expect({ reference }) {
    const { file, settings } = reference.stage('swa');
    return Object.entries(settings.schedules ?? {}).map(([name, { epochs }]) => ({
      name: `schedule/${name}`,
      rule: {
        kind: 'equality',
        to: arrayOf(arraysOf(reference), `schedule/${name}`, file),
        row: (epoch) => `epoch ${epoch + 1}`,
        what: counted(epochs, 'epoch'),
      },
    }));
  },
};

/** Three snapshots, each the initial weights of its seed, averaged one after the other as training does. */
const average: Part = {
  async run({ backend, reference }) {
    const { model } = reference;
    const { snapshot_seeds: seeds = [] } = reference.stage('swa').settings;
    const names = namesUnder(reference, 'average/');
    const found = await releasing(async (on) => {
      const executable = await compileAverage(on(backend), model);
      const running = await emptyAverage(on(backend), model);
      const generator = manualSeed(0); // nothing is drawn from it: no statistics are refreshed here
      for (const seed of seeds) {
        await releasing(async (onceOn) => {
          const snapshot = await onceOn(backend).upload(drawnWeights(reference, seed));
          await joinAverage(running, executable, model, snapshot, generator);
        });
      }
      return backend.download(running.state, names);
    });
    const recording = new Map(
      telling(reference).map((name) => [`average/${name}`, found.get(name)!]),
    );
    if (reference.stage('swa').average_sha256 === undefined) return { recording };
    if (backend.precision === 'float64') {
      const why = 'in float64 nothing is rounded on the way, and the bits are others';
      return { recording, notAsked: new Map([[toTheBit, why]]) };
    }
    const digests = names.map((name) => sha256Hex(bytesOf(found.get(name)!))).join('');
    const digest = sha256Hex(new TextEncoder().encode(digests));
    return { recording: recording.set(toTheBit, digestRows([digest])) };
  },
  expect({ reference }) {
    const each = within(reference, 'average/', telling(reference));
    const digest = reference.stage('swa').average_sha256;
    return digest === undefined ? each : [...each, sameBits(reference, digest)];
  },
};

const toTheBit = 'average to the bit';

/** Both products and their sum rounded, as PyTorch rounds them. */
function sameBits(reference: Reference, digest: string): Expectation {
  const what = `${namesUnder(reference, 'average/').length} tensors, by SHA-256`;
  return {
    name: toTheBit,
    rule: { kind: 'equality', to: digestRows([digest]), row: () => 'some tensor', what },
  };
}

/** Convolution biases start at zero in every snapshot, and zero averaged with zero proves nothing. */
const telling = (reference: Reference): string[] =>
  namesUnder(reference, 'average/').filter(
    (name) => !isConstant(recorded(arraysOf(reference), `average/${name}`)!.truth),
  );

/** Running statistics from the first synthetic training images, the last batch a short one. */
const batchNorm: Part = {
  async run(context: StageContext) {
    const { backend, reference } = context;
    const { images = 0, batch = 1 } = reference.stage('swa').settings;
    const names = namesUnder(reference, 'bn_refresh/');
    const set = { ...readCifar10(reference.syntheticDirectory(), 'train'), count: images };
    const batches = [...evaluationBatches(set, batch, reference.preparation)].map((b) => b.images);
    const found = await releasing(async (on) => {
      const programs = refreshPrograms(on(backend), reference.model);
      const state = await on(backend).upload(startingWeights(context));
      await refreshBatchNorm(backend, reference.model, programs, state, batches);
      return backend.download(state, names);
    });
    return {
      recording: new Map(names.map((name) => [`bn_refresh/${name}`, found.get(name)!])),
      inputs: Object.keys(reference.manifest.inputs).filter((path) => path.includes('data_batch')),
      notes: [`batch norm refreshed on ${batches.map((b) => b.shape[0]).join(' + ')} images`],
    };
  },
  expect: ({ reference }) => within(reference, 'bn_refresh/', namesUnder(reference, 'bn_refresh/')),
};
