import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EpochVector,
  expectState,
  maskText,
  sha256,
  torchVectors,
} from '../../test/vectors/torchVectors.ts';
import { vgg16Plan } from '../../test/vectors/vgg16Plan.ts';
import { InputError, UsageError } from '../errors.ts';
import { vggPreparation } from '../nn/models/preparation.ts';
import { evaluationPassDraws } from '../torch/dataLoader.ts';
import { generatorState, manualSeed } from '../torch/generator.ts';
import { type InitPlan, initialise } from '../torch/initialise.ts';
import { normalisationTable } from './augmentation.ts';
import { type ImageSet, imageBytes } from './cifar.ts';
import {
  nextStep,
  openTrainingStream,
  resumeTrainingStream,
  type StreamSettings,
  stepsPerEpoch,
  streamPosition,
  type TrainingStep,
  trainingSteps,
} from './trainingStream.ts';

const table = normalisationTable(vggPreparation.normalisation);
const emptyPlan: InitPlan = { shapes: new Map(), steps: [] };

/** Images whose red pixels tell their column and whose green pixels tell their row. */
function markedImages(count: number): ImageSet {
  const images = new Uint8Array(count * imageBytes);
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      images[y * 32 + x] = x;
      images[1024 + y * 32 + x] = y;
    }
  }
  for (let made = 1; made < count; made *= 2)
    images.copyWithin(made * imageBytes, 0, made * imageBytes);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  return { images, labels, count, classes: Array.from({ length: 10 }, (_, i) => `class ${i}`) };
}

const byteOf = new Map(Array.from(table.subarray(0, 512), (value, i) => [value, i & 255]));

/** Whether marked image `i` of a step was mirrored, and its crop's row and column. */
function augmentationOf(step: TrainingStep, i: number): [number, number, number] {
  const pixel = i * imageBytes + 16 * 32 + 16;
  const [x, next] = [0, 1].map((k) => byteOf.get(step.images.data[pixel + k])!);
  const y = byteOf.get(step.images.data[pixel + 1024])!;
  const flip = next < x ? 1 : 0;
  return [flip, y - 12, flip === 1 ? 19 - x : x - 12];
}

const augmentationsOf = (step: TrainingStep, count = step.order.length): string[] =>
  Array.from({ length: count }, (_, i) => augmentationOf(step, i).join(''));

function expectBatch(step: TrainingStep, expected: EpochVector['batches'][string]): void {
  const { size, indices_head, aug_flip_i_j } = expected;
  expect(step.images.shape).toEqual([size, 3, 32, 32]);
  expect(Array.from(step.order.subarray(0, indices_head.length))).toEqual(indices_head);
  expect(Array.from(step.labels.data)).toEqual(Array.from(step.order, (i) => BigInt(i % 10)));
  expect(augmentationsOf(step, aug_flip_i_j.length)).toEqual(aug_flip_i_j);
  const [mask0, mask1] = step.masks;
  const kept = (mask: Uint8Array) => mask.reduce((sum, bit) => sum + bit, 0);
  expect(maskText(mask0.subarray(0, expected.mask0_head.length))).toBe(expected.mask0_head);
  expect([kept(mask0), kept(mask1)]).toEqual([expected.mask0_kept, expected.mask1_kept]);
  expect(sha256(mask0)).toBe(expected.mask0_sha256_u8);
  expect(sha256(mask1)).toBe(expected.mask1_sha256_u8);
}

test('two epochs of VGG-16 as PyTorch draws them', { timeout: 60_000 }, () => {
  const { stream } = openTrainingStream({
    seed: 1,
    plan: vgg16Plan(),
    secondModel: false,
    preparation: vggPreparation,
    dataset: markedImages(50_000),
    batchSize: 128,
    workers: 0,
    dropout: { p: 0.5, widths: [512, 512] },
  });
  const [first, second] = torchVectors.train_script['1'].epochs!;
  const augmentations: number[] = [];
  expectState(stream.generator, torchVectors.train_script['1'].state_after_build);

  for (const step of trainingSteps(stream)) {
    if (step.step === 0) {
      expect(String(stream.pass?.baseSeed)).toBe(first.base_seed);
      expect(String(stream.pass?.samplerSeed)).toBe(first.sampler_seed);
      expect(Array.from(stream.pass!.order.subarray(0, 16))).toEqual(first.order_head);
      expect(sha256(stream.pass!.order)).toBe(first.order_sha256_i32le);
    }
    const expected = first.batches[step.step];
    if (expected !== undefined) expectBatch(step, expected);
    for (let i = 0; i < step.order.length; i++) augmentations.push(...augmentationOf(step, i));
    if (step.last) break;
  }
  expect(sha256(Uint8Array.from(augmentations))).toBe(first.all_aug_sha256_u8_flip_i_j);
  expectState(stream.generator, first.state_after_epoch!);
  evaluationPassDraws(stream.generator);
  expectState(stream.generator, first.state_after_eval_loader!);

  for (const k of [0, 1]) {
    const step = nextStep(stream);
    expect([step.epoch, step.step]).toEqual([1, k]);
    expectBatch(step, second.batches[k]);
  }
  expect(String(stream.pass?.baseSeed)).toBe(second.base_seed);
  expect(String(stream.pass?.samplerSeed)).toBe(second.sampler_seed);
  expect(Array.from(stream.pass!.order.subarray(0, 16))).toEqual(second.order_head);
});

test('two workers as PyTorch seeds them', () => {
  const { stream } = openTrainingStream({
    seed: 1,
    plan: emptyPlan,
    secondModel: false,
    preparation: vggPreparation,
    dataset: markedImages(1000),
    batchSize: 128,
    workers: 2,
    dropout: { p: 0.5, widths: [] },
  });
  const { batches, state_after } = torchVectors.workers2;
  for (const { indices_head, aug_head } of batches) {
    const step = nextStep(stream);
    expect(Array.from(step.order.subarray(0, 4))).toEqual(indices_head);
    expect(augmentationsOf(step, aug_head.length)).toEqual(aug_head);
  }
  expect(stream.epoch).toBe(1);
  expectState(stream.generator, state_after);
});

const small = (workers: number): StreamSettings => ({
  preparation: vggPreparation,
  dataset: markedImages(23),
  batchSize: 5,
  workers,
  dropout: { p: 0.3, widths: [4, 3] },
});

describe('opening', () => {
  const plan: InitPlan = {
    shapes: new Map([['a', [20]]]),
    steps: [{ kind: 'normal', name: 'a', mean: 0, std: 1 }],
  };

  test('a second model moves the stream but not the weights', () => {
    const g = manualSeed(3);
    const weights = initialise(plan, g);
    const one = openTrainingStream({ ...small(0), seed: 3, plan, secondModel: false });
    const two = openTrainingStream({ ...small(0), seed: 3, plan, secondModel: true });
    expect(one.weights).toEqual(weights);
    expect(two.weights).toEqual(weights);
    expect(sha256(generatorState(one.stream.generator))).toBe(sha256(generatorState(g)));
    initialise(plan, g);
    expect(sha256(generatorState(two.stream.generator))).toBe(sha256(generatorState(g)));
  });

  test.each<[string, Partial<StreamSettings>]>([
    ['no images', { dataset: markedImages(0) }],
    ['batch size 0', { batchSize: 0 }],
    ['-1 workers', { workers: -1 }],
    ['dropout probability 1.5', { dropout: { p: 1.5, widths: [] } }],
  ])('%s is refused', (message, mistake) => {
    const open = () =>
      openTrainingStream({ ...small(0), ...mistake, seed: 1, plan, secondModel: false });
    expect(open).toThrow(UsageError);
    expect(open).toThrow(message);
  });
});

describe('resuming', () => {
  const opened = (settings: StreamSettings, seed: number) =>
    openTrainingStream({ ...settings, seed, plan: emptyPlan, secondModel: false }).stream;

  const fingerprint = (step: TrainingStep): string =>
    [step.order, step.images.data, step.labels.data, ...step.masks].map(sha256).join();

  test('continues identically, at any step and with any number of workers', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(11), fc.nat(3), (seed, steps, workers) => {
        const settings = small(workers);
        const stream = opened(settings, seed);
        for (let i = 0; i < steps; i++) nextStep(stream);
        const resumed = resumeTrainingStream(settings, streamPosition(stream));
        for (let i = 0; i < 6; i++) {
          const [step, again] = [nextStep(stream), nextStep(resumed)];
          expect([again.epoch, again.step, again.last]).toEqual([step.epoch, step.step, step.last]);
          expect(fingerprint(again)).toBe(fingerprint(step));
        }
        expect(sha256(generatorState(resumed.generator))).toBe(
          sha256(generatorState(stream.generator)),
        );
      }),
      { numRuns: 25 },
    );
  });

  test('outside an epoch or from a damaged state is refused', () => {
    const settings = small(0);
    const stream = opened(settings, 1);
    nextStep(stream);
    const position = streamPosition(stream);
    expect(() => resumeTrainingStream({ ...settings, batchSize: 23 }, position, 'a.ckpt')).toThrow(
      /^a\.ckpt: no step 1 to resume in epoch 0 of 1 steps/,
    );
    const step = stepsPerEpoch(settings);
    expect(() => resumeTrainingStream(settings, { ...position, step })).toThrow(UsageError);
    const generator = position.generator.subarray(8);
    expect(() => resumeTrainingStream(settings, { ...position, generator })).toThrow(InputError);
  });
});
