import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  follow,
  ofKind,
  scratch,
  tinyBackend,
  tinyDataset,
  tinyModel,
  tinyRun,
  tinySettings,
  tinyStepsPerEpoch,
} from '../../../test/trainTinyRun.ts';
import { openBackend } from '../../backends/choose.ts';
import { nextStep, openTrainingStream } from '../../data/trainingStream.ts';
import { UsageError } from '../../errors.ts';
import { readSafetensorsFile } from '../../io/safetensors/safetensorsFile.ts';
import { readWeights } from '../../io/weights.ts';
import { vggPreparation } from '../../nn/models/preparation.ts';
import { initPlan } from '../../nn/module.ts';
import { type Tensor, type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import { forkGenerator, generatorState, manualSeed } from '../../torch/generator.ts';
import { initialise } from '../../torch/initialise.ts';
import { readCheckpoint } from '../checkpoint/checkpoint.ts';
import { newestCheckpoint } from '../checkpoint/checkpointFiles.ts';
import { trainedModelOf } from '../checkpoint/trainedModel.ts';
import { drawEvaluations, isEvaluated } from '../epochDecisions.ts';
import { evaluate, evaluationPrograms } from '../evaluation/evaluate.ts';
import { profileSettings } from '../settings/profiles.ts';
import type { TrainingSettings } from '../settings/trainingSettings.ts';
import { modelWeights } from '../stateDict.ts';
import { streamSettings } from './session.ts';

let s: ReturnType<typeof scratch>;
beforeEach(() => {
  s = scratch();
});
afterEach(() => s.remove());

const floats = (map: TensorMap, name: string): Float64Array => toFloat64(map.get(name)!);

/** The training stream of a tiny run, drawn by hand up to the end of `epochs` epochs. */
function streamAfter(epochs: number, settings: TrainingSettings = tinySettings) {
  const { stream } = openTrainingStream({
    ...streamSettings(settings, tinyModel, tinyDataset),
    seed: settings.seed,
    plan: initPlan(tinyModel),
    secondModel: settings.swa,
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let k = 0; k < tinyStepsPerEpoch; k++) nextStep(stream);
    if (epoch + 1 < epochs) drawEvaluations(epoch, settings, stream.generator);
  }
  return stream;
}

test('a run: every step, the log of every epoch, a checkpoint before, at the end, and the weights', async () => {
  const events = await follow(tinyRun(s.dir));
  expect(ofKind(events, 'step').map(({ step, epoch }) => [step, epoch])).toEqual(
    Array.from({ length: 12 }, (_, step) => [step, 1 + Math.floor(step / 3)]),
  );
  const rows = ofKind(events, 'epoch').map(({ row }) => row);
  expect(rows.map((row) => row.testLoss !== undefined)).toEqual([true, true, false, true]);
  expect(rows.map((row) => row.swaTestLoss !== undefined)).toEqual([false, true, false, true]);
  expect(readdirSync(s.dir).sort()).toEqual([
    'checkpoint-0.safetensors',
    'checkpoint-4.safetensors',
    'vgg16bn-swa.npz',
    'vgg16bn-swa.safetensors',
    'vgg16bn.safetensors',
  ]);
  expect(events.at(-1)).toEqual({ kind: 'ended', ending: 'finished', step: 12 });
});

test('train loss and accuracy weigh the short last batch by its size', async () => {
  const events = await follow(tinyRun(s.dir, { epochs: 1, swa: false }));
  const [a, b, c] = ofKind(events, 'step').map(({ loss }) => loss);
  const [{ row }] = ofKind(events, 'epoch');
  expect(row.trainLoss).toBe((8 * a + 8 * b + 4 * c) / 20);
  expect((row.trainAccuracy * 20) % 100).toBeCloseTo(0, 9);
});

describe('trap: BN statistics must be refreshed before every SWA evaluation', () => {
  test('the evaluated average has the statistics of one pass of the training loader', async () => {
    const run = tinyRun(s.dir, { epochs: 2 });
    const events = await follow(run);
    const { average } = readCheckpoint(join(s.dir, 'checkpoint-2.safetensors'));
    const { running_mean, running_var } = statisticsByHand(average!, streamAfter(2));
    floats(average!, 'features.1.running_mean').forEach((value, c) => {
      expect(value).toBeCloseTo(running_mean[c], 5);
    });
    floats(average!, 'features.1.running_var').forEach((value, c) => {
      expect(value / running_var[c]).toBeCloseTo(1, 5);
    });
    // And these are what the logged evaluation used.
    const [, { row }] = ofKind(events, 'epoch');
    const programs = evaluationPrograms(tinyBackend, tinyModel);
    const state = await tinyBackend.upload(modelWeights(tinyModel, average!, ''));
    const { loss } = await evaluate(programs, state, tinyDataset.test, 8, vggPreparation);
    expect(row.swaTestLoss).toBe(loss);
  });
});

/**
 * Mean and unbiased variance of the first convolution's outputs in a pass that begins where epoch 1's
 * evaluation has been drawn: batches weighted by size, the last one of 4 images.
 */
function statisticsByHand(average: TensorMap, stream: ReturnType<typeof streamAfter>) {
  const generator = forkGenerator(stream.generator);
  if (isEvaluated(1, tinySettings)) drawEvaluations(1, { ...tinySettings, swa: false }, generator);
  const pass = { ...stream, generator, epoch: 0, step: 0, pass: undefined };
  const weight = floats(average, 'features.0.weight');
  const bias = floats(average, 'features.0.bias');
  const channels = bias.length;
  const running_mean = new Float64Array(channels);
  const running_var = new Float64Array(channels);
  for (let seen = 0; seen < 20; ) {
    const { images } = nextStep(pass);
    const count = images.shape[0];
    seen += count;
    for (let c = 0; c < channels; c++) {
      const out = convolved(images, weight.subarray(27 * c, 27 * c + 27), bias[c]);
      const mean = out.reduce((sum, x) => sum + x, 0) / out.length;
      const variance = out.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (out.length - 1);
      running_mean[c] += (mean * count) / 20;
      running_var[c] += (variance * count) / 20;
    }
  }
  return { running_mean, running_var };
}

/** One output channel of a 3×3 convolution with padding 1, as one long list. */
function convolved(images: Tensor<'float32'>, kernel: Float64Array, bias: number): Float64Array {
  const count = images.shape[0];
  const out = new Float64Array(count * 1024);
  const pixel = (n: number, c: number, y: number, x: number): number =>
    y < 0 || x < 0 || y > 31 || x > 31 ? 0 : images.data[((n * 3 + c) * 32 + y) * 32 + x];
  for (let at = 0; at < out.length; at++) {
    const [n, y, x] = [at >> 10, (at >> 5) & 31, at & 31];
    let sum = bias;
    for (let k = 0; k < 27; k++) {
      const [c, dy, dx] = [Math.floor(k / 9), Math.floor(k / 3) % 3, k % 3];
      sum += kernel[k] * pixel(n, c, y + dy - 1, x + dx - 1);
    }
    out[at] = sum;
  }
  return out;
}

describe('trap: BN statistics must be refreshed before every saved SWA model', () => {
  test('a checkpoint after an epoch that was not evaluated holds those of its average', async () => {
    // Epoch 3 joins the average and is not evaluated; the run stops there.
    await follow(tinyRun(join(s.dir, 'a'), {}, { steps: 9 }));
    await follow(tinyRun(join(s.dir, 'b'), { evalFreq: 1 }, { steps: 6 }));
    const { averaged, average } = readCheckpoint(join(s.dir, 'a', 'checkpoint-3.safetensors'));
    const earlier = readCheckpoint(join(s.dir, 'b', 'checkpoint-2.safetensors')).average!;
    expect(averaged).toBe(2);
    const mean = floats(average!, 'features.1.running_mean');
    expect(mean).not.toEqual(floats(earlier, 'features.1.running_mean'));
    // One more pass of three batches, as PyTorch counts them.
    expect(average!.get('features.1.num_batches_tracked')!.data).toEqual(BigInt64Array.of(3n));
    const saved = readWeights(join(s.dir, 'a', 'vgg16bn-swa.safetensors')).tensors;
    expect(floats(saved, 'features.1.running_mean')).toEqual(mean);
  });
});

describe('trap: the refresh must not disturb the training random stream', () => {
  test('training goes on from the generator as it would without batch norm', async () => {
    await follow(tinyRun(s.dir, { evalFreq: 1 }));
    const stream = streamAfter(4, { ...tinySettings, evalFreq: 1 });
    drawEvaluations(3, { ...tinySettings, evalFreq: 1 }, stream.generator);
    const { position } = readCheckpoint(join(s.dir, 'checkpoint-4.safetensors'));
    expect(position.generator).toEqual(generatorState(stream.generator));
  });

  test('a run that saves at every step ends in the same bytes', async () => {
    // Epoch 3 joins; the one run refreshes at its end, the other when epoch 4 is evaluated.
    const [a, b] = [join(s.dir, 'a'), join(s.dir, 'b')];
    await follow(tinyRun(a, { swaStart: 3, swaCEpochs: 2 }));
    await follow(tinyRun(b, { swaStart: 3, swaCEpochs: 2 }, { saveEverySteps: 1 }));
    for (const name of ['checkpoint-4.safetensors', 'vgg16bn-swa.safetensors', 'vgg16bn-swa.npz']) {
      expect(readFileSync(join(b, name)).equals(readFileSync(join(a, name))), name).toBe(true);
    }
  });
});

test('eval of the checkpoint repeats the logged numbers exactly', async () => {
  const events = await follow(tinyRun(s.dir));
  const { row } = ofKind(events, 'epoch').at(-1)!;
  const file = join(s.dir, 'checkpoint-4.safetensors');
  const programs = evaluationPrograms(tinyBackend, tinyModel);
  const numbers = async (kind: 'swa' | 'raw'): Promise<number[]> => {
    const checkpoint = readCheckpoint(file);
    const { weights, settings } = trainedModelOf(checkpoint, file, { kind }, () => tinyModel);
    const state = await tinyBackend.upload(weights);
    const found = await evaluate(
      programs,
      state,
      tinyDataset.test,
      settings.batchSize,
      vggPreparation,
    );
    return [found.loss, found.accuracy * 100];
  };
  expect(await numbers('raw')).toEqual([row.testLoss, row.testAccuracy]);
  expect(await numbers('swa')).toEqual([row.swaTestLoss, row.swaTestAccuracy]);
});

test('the exported weights are the state dict PyTorch loads strictly', async () => {
  await follow(tinyRun(s.dir, {}, { steps: 4 }));
  const { tensors } = readSafetensorsFile(join(s.dir, 'vgg16bn.safetensors'));
  expect([...tensors.keys()].slice(0, 7)).toEqual([
    'features.0.weight',
    'features.0.bias',
    'features.1.weight',
    'features.1.bias',
    'features.1.running_mean',
    'features.1.running_var',
    'features.1.num_batches_tracked',
  ]);
  expect(tensors.get('features.1.num_batches_tracked')).toMatchObject({
    dtype: 'int64',
    shape: [],
    data: BigInt64Array.of(4n),
  });
  // Nothing has joined the average after one epoch of two.
  expect(existsSync(join(s.dir, 'vgg16bn-swa.safetensors'))).toBe(false);
});

test('given weights take the place of those drawn, and the stream stays where it is', async () => {
  const weights = initialise(initPlan(tinyModel), manualSeed(9));
  await follow(tinyRun(s.dir, {}, { weights, steps: 1 }));
  const { weights: began, position } = readCheckpoint(join(s.dir, 'checkpoint-0.safetensors'));
  expect(floats(began, 'features.0.weight')).toEqual(floats(weights, 'features.0.weight'));
  expect(position.generator).toEqual(generatorState(streamAfter(0).generator));
});

test('an interrupted run finishes its step, saves, and says so', async () => {
  const stop = new AbortController();
  const events = await follow(tinyRun(s.dir, {}, { signal: stop.signal }), (event) => {
    if (event.kind === 'step' && event.step === 4) stop.abort();
    return false;
  });
  expect(ofKind(events, 'step')).toHaveLength(5);
  expect(events.at(-1)).toEqual({ kind: 'ended', ending: 'interrupted', step: 5 });
  expect(existsSync(join(s.dir, 'checkpoint-1-step-2.safetensors'))).toBe(true);
});

test('a directory with another run in it is left alone', async () => {
  await follow(tinyRun(s.dir, {}, { steps: 1 }));
  const before = readdirSync(s.dir);
  await expect(follow(tinyRun(s.dir))).rejects.toThrow(UsageError);
  expect(readdirSync(s.dir)).toEqual(before);
});

test('the profile without dropout draws no masks and feeds none', async () => {
  const backend = await openBackend('ort', { threads: 1 });
  await follow(tinyRun(s.dir, profileSettings('ncpaddle'), { backend, steps: 2 }));
  const { position } = readCheckpoint(join(s.dir, 'checkpoint-0-step-2.safetensors'));
  const stream = streamAfter(0, { ...tinySettings, dropout: false });
  for (let k = 0; k < 2; k++) nextStep(stream);
  expect(position.generator).toEqual(generatorState(stream.generator));
});

test('a float64 backend is saved in float64, resumed to the bit, and exported in float32', async () => {
  const backend = await openBackend('oracle');
  const settings = { batchSize: 2 };
  const [a, b] = [join(s.dir, 'a'), join(s.dir, 'b')];
  await follow(tinyRun(a, settings, { backend, steps: 2 }));
  await follow(tinyRun(b, settings, { backend, steps: 1 }));
  await follow(tinyRun(b, settings, { backend, steps: 2, resume: newestCheckpoint(b) }));
  const [whole, resumed] = [a, b].map((dir) =>
    readFileSync(join(dir, 'checkpoint-0-step-2.safetensors')),
  );
  expect(resumed.equals(whole)).toBe(true);
  const { weights } = newestCheckpoint(a).checkpoint;
  expect(weights.get('features.0.weight')!.dtype).toBe('float64');
  const exported = readWeights(join(a, 'vgg16bn.safetensors')).tensors;
  expect(exported.get('features.0.weight')!.dtype).toBe('float32');
});
