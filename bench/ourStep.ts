import type { Backend } from '../src/backends/backend.ts';
import { models } from '../src/nn/models/index.ts';
import { initPlan } from '../src/nn/module.ts';
import { trainingStep } from '../src/program/trainingStep.ts';
import { type Tensor, tensor } from '../src/tensor/tensor.ts';
import { dropoutMask } from '../src/torch/dropout.ts';
import { manualSeed } from '../src/torch/generator.ts';
import { initialise } from '../src/torch/initialise.ts';
import { normal } from '../src/torch/normal.ts';
import { feedsOf, initialTrainingState } from '../src/train/trainingState.ts';

/** Our side of the bench: the same VGG-16 step, with dropout masks drawn and the loss read back. */
export interface OurStep {
  /** Milliseconds of one step. */
  step(): Promise<number>;
  close(): Promise<void>;
}

export async function openOurStep(backend: Backend, batch: number): Promise<OurStep> {
  const model = models.vgg16.build(10);
  const g = manualSeed(0);
  const weights = initialise(initPlan(model), g);
  const settings = { momentum: 0.9, weightDecay: 5e-4, dropout: true };
  const program = trainingStep(model, { images: [batch, 3, 32, 32], ...settings });
  const executable = await backend.compile(program, ['loss']);
  const state = await backend.upload(initialTrainingState(model, weights));
  const pixels = new Float32Array(batch * 3072);
  normal(g, pixels, 0, 1);
  const images = tensor('float32', [batch, 3, 32, 32], pixels) as Tensor<'float32'>;
  const classes = BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % 10));
  const labels = tensor('int64', [batch], classes) as Tensor<'int64'>;
  return {
    async step() {
      const start = performance.now();
      const masks = model.dropouts.map(({ p, width }) => dropoutMask(g, p, batch * width));
      await executable.run(state, feedsOf({ images, labels, masks }, 0.05));
      return performance.now() - start;
    },
    async close() {
      await executable.dispose();
      await backend.free(state);
    },
  };
}
