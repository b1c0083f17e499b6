import type { Backend, DeviceState, Executable } from '../backends/backend.ts';
import { type Holder, openHolder } from '../backends/holding.ts';
import { type VggOptions, vgg } from '../nn/models/vgg.ts';
import { initPlan, type Network } from '../nn/module.ts';
import { type OptimizerSettings, scalarsAt } from '../optim/optimizer.ts';
import { trainingStep } from '../program/trainingStep.ts';
import { sizeOf } from '../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor } from '../tensor/tensor.ts';
import { dropoutMask } from '../torch/dropout.ts';
import { manualSeed, type TorchGenerator } from '../torch/generator.ts';
import { initialise } from '../torch/initialise.ts';
import { normal } from '../torch/normal.ts';
import { feedsOf, initialTrainingState } from '../train/trainingState.ts';
import type { Contestant } from './measure.ts';

/** Our step at one batch size. */
interface OurStep {
  readonly executable: Executable;
  readonly state: DeviceState;
  readonly release: Holder['release'];
  /** A batch, with dropout masks drawn anew. */
  feeds(): TensorMap;
}

const optimizer: OptimizerSettings = { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 };

async function prepare(
  backend: Backend,
  model: Network,
  g: TorchGenerator,
  batch: number,
): Promise<OurStep> {
  const weights = initialise(initPlan(model), g);
  const shape = [batch, ...model.image];
  const program = trainingStep(model, { images: shape, optimizer, dropout: true });
  const pixels = new Float32Array(sizeOf(shape));
  normal(g, pixels, 0, 1);
  const images = tensor('float32', shape, pixels) as Tensor<'float32'>;
  const classes = BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % 10));
  const labels = tensor('int64', [batch], classes) as Tensor<'int64'>;
  const { on, release } = openHolder();
  return {
    executable: await on(backend).compile(program, ['loss']),
    state: await on(backend).upload(initialTrainingState(model, weights, optimizer)),
    release,
    feeds() {
      const masks = model.dropouts.map(({ p, width }) => dropoutMask(g, p, batch * width));
      return feedsOf({ images, labels, masks }, scalarsAt(optimizer, 0.05, 1));
    },
  };
}

/**
 * Our side of the bench: the same step of the same network, its batch fed from the host. As
 * in training, the loss is read at the end of a block where the backend can leave it, else every step.
 */
export function ourContestant(backend: Backend, network: VggOptions): Contestant {
  const model = vgg(network);
  const g = manualSeed(0);
  let prepared: { readonly batch: number; readonly step: OurStep } | undefined;
  return {
    name: backend.description,
    async block(batch, steps) {
      if (prepared?.batch !== batch) {
        await prepared?.step.release();
        prepared = { batch, step: await prepare(backend, model, g, batch) };
      }
      const { executable, state, feeds } = prepared.step;
      const start = performance.now();
      for (let i = 0; i < steps; i++) {
        if (executable.start === undefined) {
          await executable.run(state, feeds());
          continue;
        }
        const left = await executable.start(state, feeds());
        // Whoever reads the last loss has waited for all steps.
        if (i === steps - 1) await backend.download(left);
        await backend.free(left);
      }
      return (performance.now() - start) / steps;
    },
  };
}
