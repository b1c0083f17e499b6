/** A model's programs in the float64 oracle, on a narrow VGG16BN, against what their docstrings promise. */
import { beforeAll, describe, expect, it } from 'vitest';
import { seeded, uniform } from '../../test/support/draws.ts';
import { runGraph } from '../../test/support/runGraph.ts';
import { oracleBackend } from '../backends/oracle/oracleBackend.ts';
import { vgg } from '../nn/models/vgg.ts';
import { initPlan } from '../nn/module.ts';
import { type Shape, sizeOf } from '../tensor/shape.ts';
import { scalar, type Tensor, type TensorMap, tensor, toFloat64, zeros } from '../tensor/tensor.ts';
import { manualSeed } from '../torch/generator.ts';
import { initialise } from '../torch/initialise.ts';
import { batchNormRefresh } from './batchNormRefresh.ts';
import { evaluationStep } from './evaluationStep.ts';
import { gradientOf, type Program, slotOf } from './program.ts';
import { trainingStep } from './trainingStep.ts';

const model = vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 });
const images: Shape = [3, 3, 32, 32];
const sgd = { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;
const momentumOf = (name: string): string => slotOf(name, 'momentum');
const lr = 0.05;
const step = trainingStep(model, { images, dropout: true, optimizer: sgd });
const parameters = model.state.filter(({ role }) => role === 'parameter');
const convs = parameters.filter(({ shape }) => shape.length === 4).map(({ name }) => name);
const layers = convs.map((name) => name.slice(0, -'.weight'.length));
const biases = layers.map((layer) => `${layer}.bias`);
/** Every batch norm follows its convolution. */
const normOf = (conv: string): string => `features.${Number(conv.split('.')[1]) + 1}`;

const backend = oracleBackend();
const labels = (...classes: number[]): Tensor =>
  tensor('int64', [classes.length], BigInt64Array.from(classes, BigInt));
const numbers = (values: TensorMap, name: string): Float64Array => toFloat64(values.get(name)!);
const float64 = (shape: Shape, values: Iterable<number>): Tensor =>
  tensor('float64', shape, Float64Array.from(values));

/** PyTorch's own initialisation, then batch norms that do something. */
function initialState(): Map<string, Tensor> {
  const state = new Map<string, Tensor>(initialise(initPlan(model), manualSeed(1)));
  const random = seeded(2);
  for (const { name, shape, role } of model.state) {
    if (shape.length === 1 && name.startsWith('features')) {
      state.set(name, uniform(random, shape, name.endsWith('bias') ? -0.5 : 0.5, 1.5));
    }
    if (role === 'parameter') state.set(momentumOf(name), uniform(random, shape, -1e-3, 1e-3));
  }
  return state;
}

function feeds(program: Program, seed: number): Map<string, Tensor> {
  const random = seeded(seed);
  const draw = (name: string, shape: Shape): Tensor => {
    if (name === 'lr') return scalar(lr);
    if (name === 'labels')
      return labels(...Array.from({ length: shape[0] }, (_, i) => (3 * i + 1) % 10));
    if (name.startsWith('mask')) {
      return float64(
        shape,
        Array.from({ length: sizeOf(shape) }, () => Math.round(random())),
      );
    }
    return uniform(random, shape, -2, 2);
  };
  return new Map([...program.inputs].map(([name, { shape }]) => [name, draw(name, shape)]));
}

/** Runs once; the results and the state afterwards. */
async function runOnce(program: Program, fetches: string[], state: TensorMap, inputs: TensorMap) {
  const device = await backend.upload(state);
  const results = await (await backend.compile(program, fetches)).run(device, inputs);
  return { results, after: await backend.download(device) };
}

function expectClose(actual: ArrayLike<number>, wanted: ArrayLike<number>, what = ''): void {
  expect(actual.length).toBe(wanted.length);
  let scale = 1e-3;
  let distance = 0;
  for (let i = 0; i < wanted.length; i++) {
    scale = Math.max(scale, Math.abs(wanted[i]));
    distance = Math.max(distance, Math.abs(actual[i] - wanted[i]));
  }
  expect(distance / scale, what).toBeLessThan(1e-12);
}

/** Mean and unbiased variance of each channel of an NCHW tensor. */
function channelStatistics({ shape: [n, c, h, w], ...t }: Tensor) {
  const data = toFloat64({ shape: [n, c, h, w], ...t } as Tensor);
  const plane = h * w;
  const statistics = Array.from({ length: c }, (_, channel) => {
    const values: number[] = [];
    for (let image = 0; image < n; image++) {
      const start = (image * c + channel) * plane;
      values.push(...data.subarray(start, start + plane));
    }
    const mean = values.reduce((s, v) => s + v, 0) / values.length;
    const squares = values.reduce((s, v) => s + (v - mean) ** 2, 0);
    return { mean, variance: squares / (values.length - 1) };
  });
  return { mean: statistics.map((s) => s.mean), variance: statistics.map((s) => s.variance) };
}

describe('the training step', () => {
  const state = initialState();
  const inputs = feeds(step, 3);
  const gradientNames = parameters.map(({ name }) => gradientOf(name));
  let results: TensorMap;
  let after: TensorMap;

  beforeAll(async () => {
    const fetches = ['loss', 'logits', 'correct', 'classifier.0', ...layers, ...gradientNames];
    ({ results, after } = await runOnce(step, fetches, state, inputs));
  });

  // a convolution's bias is taken away again by the batch norm behind it
  const learning = parameters.map(({ name }) => name).filter((name) => !biases.includes(name));

  it.each(learning)('has the gradient of %s that differences give', (name) => {
    const gradient = numbers(results, gradientOf(name));
    const values = numbers(state, name);
    const random = seeded(4);
    const direction = gradient.map(() => 2 * random() - 1);
    const loss = step.fetches.get('loss')!;
    const at = (h: number): number => {
      const moved = float64(
        state.get(name)!.shape,
        values.map((v, i) => v + h * direction[i]),
      );
      return runGraph({ loss }, new Map([...state, ...inputs, [name, moved]])).loss.data[0];
    };
    const analytic = gradient.reduce((s, g, i) => s + g * direction[i], 0);
    const size = gradient.reduce((s, g, i) => s + Math.abs(g * direction[i]), 0);
    const h = 1e-6;
    expect(size).toBeGreaterThan(1e-4);
    // A step of 1e-6 may carry one of 20,000 ReLUs over its kink, which costs a few parts in a million.
    expect(Math.abs((at(h) - at(-h)) / (2 * h) - analytic) / size).toBeLessThan(1e-5);
  });

  it('gives no gradient to a bias in front of a batch norm', () => {
    for (const bias of biases) {
      expect(Math.max(...numbers(results, gradientOf(bias)).map(Math.abs)), bias).toBeLessThan(
        1e-12,
      );
    }
  });

  it('moves weights and momenta by the SGD rule', () => {
    for (const { name } of parameters) {
      const w = numbers(state, name);
      const v = numbers(state, momentumOf(name));
      const g = numbers(results, gradientOf(name));
      const momentum = v.map((m, i) => sgd.momentum * m + (g[i] + sgd.weightDecay * w[i]));
      const weight = w.map((x, i) => x - lr * momentum[i]);
      expectClose(numbers(after, momentumOf(name)), momentum, momentumOf(name));
      expectClose(numbers(after, name), weight, name);
    }
  });

  it('moves running statistics a tenth of the way to the batch’s, the variance unbiased', () => {
    for (const layer of layers) {
      const batch = channelStatistics(results.get(layer)!);
      const move = (what: string, target: number[]): void => {
        const old = numbers(state, `${normOf(layer)}.${what}`);
        const wanted = target.map((t, i) => 0.9 * old[i] + 0.1 * t);
        expectClose(numbers(after, `${normOf(layer)}.${what}`), wanted, `${layer} ${what}`);
      };
      move('running_mean', batch.mean);
      move('running_var', batch.variance);
    }
  });

  it('counts what is right', () => {
    const { correct, loss } = judged(results.get('logits')!, inputs.get('labels')!);
    expect([...numbers(results, 'correct')]).toEqual([correct]);
    expectClose(numbers(results, 'loss'), [loss]);
  });

  it('without dropout asks for no masks and drops nothing', async () => {
    const plain = trainingStep(model, { images, dropout: false, optimizer: sgd });
    expect([...plain.inputs.keys()]).toEqual(['images', 'labels', 'lr']);
    const shared = new Map([...plain.inputs.keys()].map((name) => [name, inputs.get(name)!]));
    const { results: kept } = await runOnce(plain, ['classifier.0'], state, shared);
    const mask = numbers(inputs, 'mask0');
    const wanted = numbers(kept, 'classifier.0').map((v, i) => 2 * v * mask[i]);
    expectClose(numbers(results, 'classifier.0'), wanted);
  });
});

/** Mean cross-entropy, predictions and the number of right ones, from logits alone. */
function judged(logits: Tensor, target: Tensor) {
  const [n, classes] = logits.shape;
  const data = toFloat64(logits);
  const wanted = toFloat64(target);
  let loss = 0;
  const predictions = Array.from({ length: n }, (_, i) => {
    const row = [...data.subarray(i * classes, (i + 1) * classes)];
    loss -= Math.log(Math.exp(row[wanted[i]]) / row.reduce((s, v) => s + Math.exp(v), 0)) / n;
    return row.indexOf(Math.max(...row));
  });
  return { loss, predictions, correct: predictions.filter((p, i) => p === wanted[i]).length };
}

describe('the evaluation step', () => {
  const program = evaluationStep(model, [6, 3, 32, 32]);
  const state = initialState();

  it('judges its logits and changes nothing', async () => {
    const batch = uniform(seeded(5), [6, 3, 32, 32], -2, 2);
    const read = new Map([...program.state.keys()].map((name) => [name, state.get(name)!]));
    const guess = await runOnce(
      program,
      ['predictions'],
      read,
      new Map([
        ['images', batch],
        ['labels', labels(0, 0, 0, 0, 0, 0)],
      ]),
    );
    // half of them right, so that neither counting none nor all passes
    const answers = [...numbers(guess.results, 'predictions')].map((p, i) => (p + (i % 2)) % 10);
    const fetches = ['logits', 'predictions', 'correct', 'loss'];
    const inputs = new Map([
      ['images', batch],
      ['labels', labels(...answers)],
    ]);
    const { results, after } = await runOnce(program, fetches, read, inputs);
    const wanted = judged(results.get('logits')!, inputs.get('labels')!);
    expect([...numbers(results, 'predictions')]).toEqual(wanted.predictions);
    expect(results.get('predictions')!.dtype).toBe('int64');
    expect([...numbers(results, 'correct')]).toEqual([3]);
    expectClose(numbers(results, 'loss'), [wanted.loss]);
    for (const [name, t] of after) expect(t.data).toEqual(toFloat64(read.get(name)!));
  });

  it('normalises by running statistics and does not drop', async () => {
    const inputs = feeds(program, 6);
    const fetches = ['features.0', 'features.1', 'features.43', 'classifier.0'];
    const read = new Map([...program.state.keys()].map((name) => [name, state.get(name)!]));
    const { results } = await runOnce(program, fetches, read, inputs);
    const [mean, variance, weight, bias] = ['running_mean', 'running_var', 'weight', 'bias'].map(
      (what) => numbers(state, `features.1.${what}`),
    );
    const channels = mean.length;
    const wanted = numbers(results, 'features.0').map((v, i) => {
      const c = Math.floor(i / 1024) % channels;
      return ((v - mean[c]) / Math.sqrt(variance[c] + 1e-5)) * weight[c] + bias[c];
    });
    expectClose(numbers(results, 'features.1'), wanted);
    expect(numbers(results, 'classifier.0')).toEqual(numbers(results, 'features.43'));
  });
});

it('the batch norm refresh weights batches by their size', async () => {
  const sizes = [4, 2];
  const state = initialState();
  for (const layer of layers) {
    const norm = normOf(layer);
    const { shape } = state.get(`${norm}.running_mean`)!;
    state.set(`${norm}.running_mean`, zeros('float64', shape));
    state.set(`${norm}.running_var`, float64(shape, new Float64Array(sizeOf(shape)).fill(1)));
  }
  const device = await backend.upload(state);
  const found: { readonly n: number; readonly outputs: TensorMap }[] = [];
  let seen = 0;
  for (const n of sizes) {
    const shape = [n, 3, 32, 32];
    const batch = uniform(seeded(n), shape, -2, 2);
    const take = n / (seen + n);
    seen += n;
    const refresh = await backend.compile(batchNormRefresh(model, shape), []);
    await refresh.run(
      device,
      new Map([
        ['images', batch],
        ['take', scalar(take)],
        ['keep', scalar(1 - take)],
      ]),
    );
    // what the batch norms saw, from a training step of the same weights
    const plain = trainingStep(model, { images: shape, dropout: false, optimizer: sgd });
    const inputs = feeds(plain, 0).set('images', batch);
    const { results } = await runOnce(plain, [...layers], state, inputs);
    found.push({ n, outputs: results });
  }
  const after = await backend.download(device);
  for (const layer of layers) {
    const batches = found.map(({ n, outputs }) => ({
      n,
      ...channelStatistics(outputs.get(layer)!),
    }));
    const weighted = (what: 'mean' | 'variance'): number[] =>
      batches[0][what].map((_, c) => batches.reduce((s, b) => s + (b.n / seen) * b[what][c], 0));
    expectClose(numbers(after, `${normOf(layer)}.running_mean`), weighted('mean'), layer);
    expectClose(numbers(after, `${normOf(layer)}.running_var`), weighted('variance'), layer);
  }
  for (const { name } of parameters) {
    expect(after.get(name)?.data, name).toEqual(toFloat64(state.get(name)!));
  }
});
