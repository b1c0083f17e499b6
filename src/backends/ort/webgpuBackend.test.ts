/** ONNX Runtime's WebGPU provider on a software GPU: the same kernels, driver aside, as on a real one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needsSwiftshader, swiftshader, useSwiftshader } from '../../../test/swiftshader.ts';
import { tolerances } from '../../align/tolerances.ts';
import { sha256Hex } from '../../io/sha256.ts';
import { add, broadcastTo, input, reduceSum } from '../../ir/build.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { initPlan } from '../../nn/module.ts';
import { gradientOf, type Program } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import { bytesOf, type Tensor, type TensorMap, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { dropoutMask } from '../../torch/dropout.ts';
import { manualSeed } from '../../torch/generator.ts';
import { initialise } from '../../torch/initialise.ts';
import { normal } from '../../torch/normal.ts';
import { feedsOf, initialTrainingState } from '../../train/trainingState.ts';
import type { Backend } from '../backend.ts';
import { agree, agreementCases } from '../backendAgainstOracle.ts';
import { type Opened, onRealGpu, openOn } from '../choose.ts';
import { oracleBackend } from '../oracle/oracleBackend.ts';
import { onnxGraph } from './onnxGraph.ts';
import { openSession } from './webgpuSession.ts';

const g = manualSeed(3);
const batch = 4;
const pixels = new Float32Array(batch * 3072);
normal(g, pixels, 0, 1);
const images = tensor('float32', [batch, 3, 32, 32], pixels) as Tensor<'float32'>;
const labels = tensor('int64', [batch], BigInt64Array.of(7n, 0n, 9n, 4n)) as Tensor<'int64'>;

/** A training step of a VGG-16 with a sixteenth of its widths, its first state and three steps' feeds. */
function narrowStep(batchNorm: boolean) {
  const model = vgg({ depth: 16, batchNorm, classes: 10, narrow: 16 });
  const settings = { momentum: 0.9, weightDecay: 5e-4, dropout: true };
  const program = trainingStep(model, { images: images.shape, ...settings });
  const random = manualSeed(1);
  const state = initialTrainingState(model, initialise(initPlan(model), random));
  const feeds = [0, 1].map(() => {
    const masks = model.dropouts.map(({ p, width }) => dropoutMask(random, p, batch * width));
    return feedsOf({ images, labels, masks }, 0.05);
  });
  return { program, state, feeds };
}

/** Every gradient and the loss of the first step, and the state after the last. */
async function trained(on: Backend, { program, state, feeds }: ReturnType<typeof narrowStep>) {
  const gradients = [...program.state.keys()].map(gradientOf).filter((n) => program.fetches.has(n));
  const executable = await on.compile(program, ['loss', 'correct', ...gradients]);
  const held = await on.upload(state);
  const results: TensorMap[] = [];
  for (const feed of feeds) results.push(await executable.run(held, feed));
  const after = await on.download(held);
  await on.free(held);
  await executable.dispose();
  return { first: results[0], after };
}

const relative = (ours: Tensor, truth: Tensor): number => {
  const [a, b] = [toFloat64(ours), toFloat64(truth)];
  let [difference, size] = [0, 0];
  b.forEach((v, i) => {
    difference += (a[i] - v) ** 2;
    size += v ** 2;
  });
  return Math.sqrt(difference / size);
};

/** The largest relative error among the tensors; the gradient of a bias before a norm is zero, and noise here. */
const worst = (ours: TensorMap, truth: TensorMap): number =>
  Math.max(
    ...[...truth]
      .filter(([, t]) => Math.hypot(...toFloat64(t)) > 1e-12)
      .map(([name, t]) => relative(ours.get(name)!, t)),
  );

/** By SHA-256, so that a difference names its tensor. */
const bits = (values: TensorMap): Record<string, string> =>
  Object.fromEntries([...values].map(([name, t]) => [name, sha256Hex(bytesOf(t))]));

describe.skipIf(swiftshader === undefined)(`WebGPU${needsSwiftshader}`, () => {
  let opened: Opened;
  let backend: Backend;
  beforeAll(async () => {
    useSwiftshader();
    opened = await openOn('ort', 'webgpu');
    ({ backend } = opened);
  });
  afterAll(() => backend.close?.());

  test('says which GPU it runs on, and that it is software, which auto never takes', async () => {
    expect(opened.adapter).toMatchObject({ kind: 'software', name: /SwiftShader/ });
    expect(backend.description).toMatch(
      /^ONNX Runtime .*, WebGPU on SwiftShader .*, a software GPU$/,
    );
    expect(await onRealGpu('ort', {}, true)).toBeUndefined();
  });

  test('agrees with the oracle on every op, none of it on the CPU', async () => {
    expect(await agree(backend, agreementCases(3))).toEqual([]);
  }, 120_000);

  test('an operator that the provider lacks would be refused', async () => {
    const graph = onnxGraph('sign');
    graph.input('x', 'float', [2]);
    graph.output('y', graph.emit('Sign', ['x']), 'float', [2]);
    await expect(openSession(graph.toBytes(), {})).rejects.toThrow(
      'assigned to the default CPU EP',
    );
  });

  test.each([
    ['VGG16', false, tolerances.relativeL2],
    ['VGG16BN', true, tolerances.relativeL2BatchNorm],
  ])(
    'a narrow %s trains with an error to the truth within the bar',
    async (_, batchNorm, bar) => {
      const narrow = narrowStep(batchNorm);
      const truth = await trained(oracleBackend(), narrow);
      const gpu = await trained(backend, narrow);
      expect(worst(gpu.first, truth.first)).toBeLessThan(bar);
      expect(worst(gpu.after, truth.after)).toBeLessThan(bar);
    },
    180_000,
  );

  test('what `start` leaves on the device is what `run` brings', async () => {
    const { program, state, feeds } = narrowStep(false);
    const executable = await backend.compile(program, ['loss', 'correct']);
    const [a, b] = [await backend.upload(state), await backend.upload(state)];
    const lying = await executable.start!(a, feeds[0]);
    const brought = await executable.run(b, feeds[0]);
    expect(bits(await backend.download(lying))).toEqual(bits(brought));
    expect(bits(await backend.download(a))).toEqual(bits(await backend.download(b)));
    for (const held of [lying, a, b]) await backend.free(held);
    await executable.dispose();
  }, 120_000);

  test('two processes at once give the same bits', async () => {
    const other = await openOn('ort', 'webgpu');
    const narrow = narrowStep(false);
    const runs = await Promise.all([backend, other.backend].map((on) => trained(on, narrow)));
    expect(bits(runs[0].after)).toEqual(bits(runs[1].after));
    await other.backend.close?.();
  }, 180_000);

  test('more than the device has is refused in a line, and it goes on', async () => {
    const x = input('x', [1, 16]);
    const huge = 2 ** 26;
    const y = reduceSum(add(broadcastTo(x, [huge, 16]), 1), [0, 1]);
    const program: Program = {
      name: 'huge program',
      inputs: new Map([['x', x]]),
      state: new Map(),
      fetches: new Map([['y', y]]),
    };
    const ones = new Map([['x', tensor('float32', [1, 16], new Float32Array(16).fill(1))]]);
    const executable = await backend.compile(program, ['y']);
    const failing = executable.run(new Map(), ones);
    await expect(failing).rejects.toThrow(
      /^the GPU failed in the huge program: it has no room for a buffer \(.*smaller batch/,
    );
    await expect(failing).rejects.toThrow(/^[^\n]+$/);
    const state = await backend.upload(ones);
    expect((await backend.download(state)).get('x')!.data).toEqual(new Float32Array(16).fill(1));
  }, 120_000);
});
