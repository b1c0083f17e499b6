import { expect, it } from 'vitest';
import { seeded, uniform } from '../../test/support/draws.ts';
import { oracleBackend } from '../backends/oracle/oracleBackend.ts';
import { swaShares } from '../optim/swaUpdate.ts';
import { scalar, type Tensor, toFloat64, zeros } from '../tensor/tensor.ts';
import { optimizerUpdate } from './optimizerStep.ts';
import { gradientOf, slotOf } from './program.ts';
import { averageOf, averageWeights } from './weightUpdates.ts';

const backend = oracleBackend();
const shape = [3, 4];
const draw = (seed: number): Tensor<'float64'> => uniform(seeded(seed), shape);

it('the average of three snapshots is their mean', async () => {
  const snapshots = [1, 2, 3].map(draw);
  const executable = await backend.compile(averageWeights([['w', shape]]), []);
  // what stands there before the first snapshot counts for nothing
  let average: Tensor = draw(4);
  for (const [averaged, w] of snapshots.entries()) {
    const state = await backend.upload(new Map([['w', w as Tensor]]).set(averageOf('w'), average));
    const { keep, take } = swaShares(averaged);
    await executable.run(state, new Map([['keep', scalar(keep)]]).set('take', scalar(take)));
    const after = await backend.download(state);
    expect(after.get('w')?.data).toEqual(w.data);
    average = after.get(averageOf('w'))!;
  }
  toFloat64(average).forEach((v, i) => {
    const mean = snapshots.reduce((sum, w) => sum + w.data[i], 0) / 3;
    expect(v).toBeCloseTo(mean, 14);
  });
});

it('SGD with fed gradients follows torch.optim.SGD over three steps', async () => {
  const settings = { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;
  const executable = await backend.compile(optimizerUpdate([['w', shape]], settings), []);
  const start = draw(1);
  const state = await backend.upload(
    new Map<string, Tensor>([
      ['w', start],
      [slotOf('w', 'momentum'), zeros('float64', shape)],
    ]),
  );
  const w = start.data.slice();
  // PyTorch has no buffer before the first step, which then copies d into it
  let buffer: Float64Array | undefined;
  for (const [step, lr] of [0.05, 0.05, 0.01].entries()) {
    const gradient = draw(10 + step);
    await executable.run(state, new Map([[gradientOf('w'), gradient]]).set('lr', scalar(lr)));
    const d = gradient.data.map((g, i) => g + settings.weightDecay * w[i]);
    const old = buffer;
    buffer = old === undefined ? d : d.map((v, i) => settings.momentum * old[i] + v);
    for (let i = 0; i < w.length; i++) w[i] -= lr * buffer[i];
  }
  const after = await backend.download(state);
  const close = (name: string, wanted: Float64Array): void => {
    toFloat64(after.get(name)!).forEach((v, i) => {
      expect(v, name).toBeCloseTo(wanted[i], 14);
    });
  };
  close('w', w);
  close(slotOf('w', 'momentum'), buffer!);
});
