import { describe, expect, it } from 'vitest';
import { oracleBackend } from '../../backends/oracle/oracleBackend.ts';
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

  it('reads nothing that no row before computes', () => {
    const done = new Set<string>();
    for (const { name, reads } of plan) {
      for (const read of reads) expect(done, `${name} reads ${read}`).toContain(read);
      done.add(name);
    }
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
