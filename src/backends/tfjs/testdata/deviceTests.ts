import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { agree, agreementCases } from '../../../../test/support/backendAgainstOracle.ts';
import { distances } from '../../../align/measure/distance.ts';
import { GraphError } from '../../../errors.ts';
import { add, input } from '../../../ir/build.ts';
import { vgg } from '../../../nn/models/vgg.ts';
import { initPlan } from '../../../nn/module.ts';
import {
  byInputName,
  gradientOf,
  outputGradientOf,
  type Program,
} from '../../../program/program.ts';
import { trainingStep } from '../../../program/trainingStep.ts';
import { scalar, type Tensor, type TensorMap, tensor } from '../../../tensor/tensor.ts';
import { dropoutMask } from '../../../torch/dropout.ts';
import { manualSeed } from '../../../torch/generator.ts';
import { initialise } from '../../../torch/initialise.ts';
import { normal } from '../../../torch/normal.ts';
import { feedsOf, initialTrainingState } from '../../../train/trainingState.ts';
import type { Backend } from '../../backend.ts';
import { oracleBackend } from '../../oracle/oracleBackend.ts';
import type { TfjsDevice } from '../devices.ts';
import { tfjsBackend } from '../tfjsBackend.ts';
import { openHere } from './openHere.ts';
import { withWrongAdjoint } from './withWrongAdjoint.ts';

const batch = 4;
const settings = {
  images: [batch, 3, 32, 32],
  optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  dropout: true,
} as const;

/** A narrow VGG16, its first state and a batch for it, all from one seed. */
function narrowVgg(batchNorm: boolean) {
  const model = vgg({ depth: 16, batchNorm, classes: 10, narrow: 16 });
  const g = manualSeed(4);
  const state = initialTrainingState(model, initialise(initPlan(model), g), settings.optimizer);
  const images = tensor('float32', settings.images, new Float32Array(batch * 3072));
  normal(g, images.data, 0, 1);
  const labels = tensor('int64', [batch], BigInt64Array.of(1n, 4n, 9n, 0n));
  const masks = model.dropouts.map(({ p, width }) => dropoutMask(g, p, batch * width));
  const inputs = feedsOf(
    { images: images as Tensor<'float32'>, labels: labels as Tensor<'int64'>, masks },
    { lr: 0.05 },
  );
  const program = trainingStep(model, settings);
  const inner = outputGradientOf('features.0');
  const gradients = model.state.flatMap(({ name, role }) =>
    role === 'parameter' ? [gradientOf(name)] : [],
  );
  return { program, state, inputs, fetches: ['loss', 'logits', inner, ...gradients] };
}

type Case = ReturnType<typeof narrowVgg>;

async function runOnce(backend: Backend, { program, state, inputs, fetches }: Case) {
  const device = await backend.upload(state);
  const executable = await backend.compile(program, fetches);
  const results = await executable.run(device, inputs);
  const after = await backend.download(device);
  await backend.free(device);
  return new Map([...results, ...[...after].map(([name, t]) => [`new ${name}`, t] as const)]);
}

/** The tensor that is furthest off, relative to its own size; one that is all but zero does not count. */
function furthest(found: TensorMap, truth: TensorMap): { name: string; error: number } {
  let worst = { name: '', error: 0 };
  for (const [name, t] of truth) {
    const largest = Math.max(...Float64Array.from(t.data as Float64Array, Math.abs));
    const error = largest < 1e-6 ? 0 : distances(found.get(name)!, t).relativeL2;
    if (!(error <= worst.error)) worst = { name, error };
  }
  return worst;
}

const cases = { VGG16: narrowVgg(false), VGG16BN: narrowVgg(true) };
const truths = {
  VGG16: await runOnce(oracleBackend(), cases.VGG16),
  VGG16BN: await runOnce(oracleBackend(), cases.VGG16BN),
};
const models = Object.keys(cases) as (keyof typeof cases)[];

/**
 * What TensorFlow.js has to do on each of its devices. Each is tested in a process of its own, so that one's
 * native library cannot disturb another's.
 */
export async function testDevice(device: TfjsDevice): Promise<void> {
  const { backend, absent } = await openHere(device);
  describe.skipIf(backend === undefined)(`TensorFlow.js on ${device} ${absent ?? ''}`, () => {
    const here = backend as Backend;

    it('agrees with the oracle on every op', async () => {
      expect(await agree(here, agreementCases(6))).toEqual([]);
    }, 120_000);

    it.each(models)(
      'trains %s by its own derivatives as the oracle does by ours',
      async (name) => {
        const found = await runOnce(here, cases[name]);
        expect([...found.keys()].sort()).toEqual([...truths[name].keys()].sort());
        const worst = furthest(found, truths[name]);
        expect(worst.error, worst.name).toBeLessThan(1e-4);
      },
      120_000,
    );

    it('runs our derivatives where asked to', async () => {
      const ours = await tfjsBackend({ device, grad: 'ir' });
      expect(ours.description).toContain('our adjoints');
      const worst = furthest(await runOnce(ours, cases.VGG16), truths.VGG16);
      expect(worst.error, worst.name).toBeLessThan(1e-4);
    }, 120_000);

    it('owes nothing to our adjoint nodes, unless they are asked for', async () => {
      const inputs = new Map([['x', scalar(3)]]);
      const gradient = async (by: Backend): Promise<number> => {
        const executable = await by.compile(withWrongAdjoint(), ['x.grad']);
        return Number((await executable.run(new Map(), inputs)).get('x.grad')!.data[0]);
      };
      expect(await gradient(here)).toBe(6);
      expect(await gradient(await tfjsBackend({ device, grad: 'ir' }))).toBe(300);
    });

    it('holds no more memory after many steps than after one', async () => {
      const before = tf.memory();
      const { program, state, inputs } = cases.VGG16BN;
      const held = await here.upload(state);
      const executable = await here.compile(program, ['loss', 'features.0']);
      await executable.run(held, inputs);
      const afterOne = tf.memory();
      expect(afterOne.numTensors - before.numTensors).toBe(state.size);
      for (let k = 0; k < 3; k++) await executable.run(held, inputs);
      const afterMany = tf.memory();
      expect(afterMany.numTensors).toBe(afterOne.numTensors);
      expect(afterMany.numBytes).toBe(afterOne.numBytes);
      await here.free(held);
      expect(held.size).toBe(0);
      expect(tf.memory().numTensors).toBe(before.numTensors);
    }, 120_000);

    it('frees everything and leaves the state as it was when a run fails', async () => {
      const x = input('x', [2]);
      const w = input('w', [2]);
      const broken = { ...add(w, x), shape: [3] };
      const program: Program = {
        name: 'broken',
        inputs: byInputName([x]),
        state: new Map([['w', { current: w, next: broken }]]),
        fetches: new Map(),
      };
      const held = await here.upload(
        new Map([['w', tensor('float32', [2], Float32Array.of(1, 2))]]),
      );
      const { numTensors } = tf.memory();
      const executable = await here.compile(program, []);
      const inputs = new Map([['x', tensor('float32', [2], new Float32Array(2))]]);
      await expect(executable.run(held, inputs)).rejects.toThrow(GraphError);
      expect(tf.memory().numTensors).toBe(numTensors);
      expect((await here.download(held)).get('w')!.data).toEqual(Float32Array.of(1, 2));
      await here.free(held);
    });

    it('copies on the way in and out', async () => {
      const host = tensor('float32', [2], Float32Array.of(1, 2));
      const held = await here.upload(new Map([['w', host]]));
      host.data[0] = 99;
      const copy = (await here.download(held, ['w'])).get('w')!;
      expect(copy.data).toEqual(Float32Array.of(1, 2));
      copy.data[1] = 98;
      expect((await here.download(held)).get('w')!.data).toEqual(Float32Array.of(1, 2));
      await here.free(held);
    });
  });
}
