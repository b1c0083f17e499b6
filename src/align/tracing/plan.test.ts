import { describe, expect, it } from 'vitest';
import { oracleBackend } from '../../backends/oracle/oracleBackend.ts';
import { outputGradientOf } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { feedsOf, initialTrainingState } from '../../train/trainingState.ts';
import { narrowModel, narrowWeights, randomBatch } from '../testdata/narrowStep.ts';
import { runOnce } from './evidence.ts';
import { tracePlan } from './plan.ts';

const optimizer = { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;

describe.each([false, true])('the plan of a trace (batch norm: %s)', (batchNorm) => {
  const model = narrowModel(batchNorm);
  const program = trainingStep(model, {
    images: [2, 3, 32, 32],
    optimizer,
    dropout: true,
  });
  const plan = tracePlan(program);

  it('has every layer, every gradient at an output and every weight gradient, each once', () => {
    const names = plan.map(({ name }) => name);
    const parameters = model.state.filter(({ role }) => role === 'parameter');
    const layers = names.slice(0, names.indexOf('classifier.6') + 1);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(2 * layers.length + parameters.length);
    for (const layer of layers) expect(names).toContain(outputGradientOf(layer));
    for (const { name } of parameters) expect(names).toContain(`${name}.grad`);
  });

  it('computes nothing before what it is computed from', () => {
    const done = new Set<string>();
    for (const { name, reads } of plan) {
      for (const read of reads) expect(done, `${name} reads ${read}`).toContain(read);
      done.add(name);
    }
  });

  it('names the layers that read an output as the makers of its gradient', () => {
    const maker = (layer: string) =>
      plan.find(({ name }) => name === outputGradientOf(layer))?.layer;
    expect(maker('classifier.6')).toBe('loss');
    expect(maker('classifier.4')).toBe('classifier.5');
    expect(maker('features.0')).toBe('features.1');
  });

  it('gives the whole step’s own numbers, piece by piece', async () => {
    const oracle = oracleBackend();
    const batch = randomBatch(1, 1, 2);
    const masks = ['mask0', 'mask1'].map((m) => batch.get(m)!.data as Uint8Array);
    const given = {
      weights: initialTrainingState(model, narrowWeights(batchNorm), optimizer),
      feeds: feedsOf(
        {
          images: batch.get('images') as Tensor<'float32'>,
          labels: batch.get('labels') as Tensor<'int64'>,
          masks,
        },
        { lr: 0.05 },
      ),
    };
    const names = plan.map(({ name }) => name);
    const whole = await runOnce(oracle, program, names, given);
    for (const { name, alone } of plan) {
      const inputs = new Map(
        [...alone.inputs.keys()].map((i) => [i, given.feeds.get(i) ?? whole.get(i)!]),
      );
      const found = await runOnce(oracle, alone, [name], { ...given, feeds: inputs });
      expect(toFloat64(found.get(name)!), name).toEqual(toFloat64(whole.get(name)!));
    }
  });
});
