import { describe, expect, it } from 'vitest';
import { agree } from '../../../../test/support/backendAgainstOracle.ts';
import { seeded, uniform } from '../../../../test/support/draws.ts';
import { preResNet } from '../../../nn/models/preResNet.ts';
import { wideResNet } from '../../../nn/models/wideResNet.ts';
import { initPlan, type Module } from '../../../nn/module.ts';
import { gradientOf } from '../../../program/program.ts';
import { trainingStep } from '../../../program/trainingStep.ts';
import { type Tensor, tensor, toFloat64 } from '../../../tensor/tensor.ts';
import { manualSeed } from '../../../torch/generator.ts';
import { initialise } from '../../../torch/initialise.ts';
import { feedsOf, initialTrainingState } from '../../../train/trainingState.ts';
import type { Backend } from '../../backend.ts';
import { oracleBackend } from '../../oracle/oracleBackend.ts';
import { ortBackend } from '../cpu/ortBackend.ts';
import { convolutionCases, geometries, poolingCases } from '../testdata/residualCases.ts';

describe('the operations of residual networks on ONNX Runtime', () => {
  it.each(geometries.map((g, i) => [g, i] as const))('%o', async (geometry, seed) => {
    expect(await agree(await ortBackend(), convolutionCases(geometry, seed))).toEqual([]);
  });

  it('average pooling and its gradient', async () => {
    expect(await agree(await ortBackend(), poolingCases())).toEqual([]);
  });
});

/** Loss, gradients and running statistics of one step on one image batch. */
async function stepOn(backend: Backend, model: Module): Promise<ReadonlyMap<string, Tensor>> {
  const g = manualSeed(4);
  const weights = initialise(initPlan(model), g);
  const random = seeded(3);
  const images = uniform(random, [2, 3, 32, 32]);
  const pixels = tensor('float32', images.shape, Float32Array.from(toFloat64(images)));
  const labels = tensor('int64', [2], BigInt64Array.of(1n, 3n));
  const settings = {
    images: images.shape,
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 3e-4 },
    dropout: true,
  } as const;
  const names = model.state.flatMap(({ name, role }) =>
    role === 'buffer' ? [] : gradientOf(name),
  );
  const executable = await backend.compile(trainingStep(model, settings), ['loss', ...names]);
  const state = await backend.upload(initialTrainingState(model, weights, settings.optimizer));
  const fetched = await executable.run(
    state,
    feedsOf({ images: pixels, labels, masks: [] }, { lr: 0.1 }),
  );
  const buffers = model.state.flatMap(({ name, role }) => (role === 'buffer' ? name : []));
  const found = new Map([...fetched, ...(await backend.download(state, buffers))]);
  await executable.dispose();
  await backend.free(state);
  return found;
}

// Narrow and shallow, so that few decisions are near their kinks: whole training steps against the oracle.
describe.each([
  ['PreResNet', preResNet({ depth: 11, classes: 5, narrow: 4 })],
  ['WideResNet', wideResNet({ depth: 10, widen: 1, classes: 5 })],
])('a step of a small %s', (_, model) => {
  it('is the oracle’s, gradient by gradient', { timeout: 120_000 }, async () => {
    const ours = await stepOn(await ortBackend(), model);
    const truth = await stepOn(oracleBackend(), model);
    expect([...ours.keys()]).toEqual([...truth.keys()]);
    const largest = Math.max(
      ...[...truth].flatMap(([name, t]) =>
        name.endsWith('.weight.grad') ? Math.hypot(...toFloat64(t)) : [],
      ),
    );
    for (const [name, expected] of truth) {
      const [a, b] = [toFloat64(ours.get(name)!), toFloat64(expected)];
      const error = Math.hypot(...a.map((v, i) => v - b[i]));
      // A bias that batch norm takes out again has a gradient of nothing but rounding.
      expect(error, name).toBeLessThan(1e-4 * Math.hypot(...b) + 1e-6 * largest);
    }
  });
});
