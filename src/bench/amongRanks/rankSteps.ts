import type { Backend } from '../../backends/backend.ts';
import type { ImageSet } from '../../data/cifar.ts';
import { openTrainingStream } from '../../data/trainingStream.ts';
import type { Communicator } from '../../distributed/communicator.ts';
import { meanOverRanks, type Reduction } from '../../distributed/reduce.ts';
import { vggPreparation } from '../../nn/models/preparation.ts';
import { initPlan, type Network } from '../../nn/module.ts';
import type { OptimizerSettings } from '../../optim/optimizer.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { manualSeed, nextU32 } from '../../torch/generator.ts';
import { rankStepper } from '../../train/loop/rankStep.ts';
import { stepPrograms, stepper } from '../../train/loop/stepper.ts';
import { initialTrainingState } from '../../train/trainingState.ts';

/** What a rank is timed at: see `kinds`. */
export type StepKind = 'among' | 'apart' | 'mean';

/** Makes one step. */
type Step = () => Promise<void>;

export interface RankSteps {
  readonly comm: Communicator;
  readonly backend: Backend;
  readonly model: Network;
  readonly reduction: Reduction;
}

const optimizer: OptimizerSettings = { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 };
/** So small that images without a meaning lead to no infinity. */
const lr = 1e-3;
const stepsPerEpoch = 16;

/** Random images: it is their number that counts. */
function randomImages(count: number, [channels, height, width]: Network['image']): ImageSet {
  const g = manualSeed(0);
  const images = Uint8Array.from({ length: count * channels * height * width }, () => nextU32(g));
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  return { images, labels, count, classes: labels.subarray(0, 10).join('').split('') };
}

/** Everything that a training of this rank begins with. */
async function placed({ comm, backend, model }: RankSteps, batch: number) {
  const { weights, stream } = openTrainingStream({
    dataset: randomImages(batch * comm.size * stepsPerEpoch, model.image),
    preparation: vggPreparation,
    batchSize: batch,
    workers: 0,
    dropout: { p: 0.5, widths: model.dropouts.map(({ width }) => width) },
    sampler: { rank: comm.rank, size: comm.size, seed: 0n },
    seed: comm.rank,
    plan: initPlan(model),
    secondModel: false,
  });
  const state = await backend.upload(initialTrainingState(model, weights, optimizer));
  return { stream, state };
}

const kinds: Readonly<Record<StepKind, (of: RankSteps, batch: number) => Promise<Step>>> = {
  /** A step of `train --distributed`. */
  async among(of, batch) {
    const { stream, state } = await placed(of, batch);
    const ranks = await rankStepper({ ...of, stream, state, optimizer, dropout: true });
    let step = 0;
    return async () => {
      // As rank 0 says each step to the others.
      await of.comm.broadcast(Float64Array.of(1, step, lr));
      await ranks.make(step++, lr, 0);
    };
  },
  /** A step of `train`, on each rank for itself. */
  async apart(of, batch) {
    const { backend, model } = of;
    const { stream, state } = await placed(of, batch);
    const programs = stepPrograms(backend, model, { optimizer, dropout: true });
    const { window, make } = stepper(backend, { stream, programs, state, optimizer });
    let step = 0;
    return async () => {
      await make(step++, lr);
      await window.read();
    };
  },
  /** The mean of as many numbers as there are parameters, alone. */
  async mean({ comm, model, reduction }) {
    const parameters = model.state.filter(({ role }) => role === 'parameter');
    const numbers = new Float32Array(parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
    numbers.fill(comm.rank + 1);
    return async () => {
      await meanOverRanks(comm, numbers, reduction);
    };
  },
};

/** The steps of each kind and batch size, prepared when they are first asked for. */
export function rankSteps(of: RankSteps): (kind: StepKind, batch: number) => Promise<Step> {
  const made = new Map<string, Promise<Step>>();
  return (kind, batch) => {
    const key = `${kind} ${batch}`;
    const step = made.get(key) ?? kinds[kind](of, batch);
    made.set(key, step);
    return step;
  };
}
