import { join } from 'node:path';
import type { Backend } from '../../backends/backend.ts';
import { holding } from '../../backends/holding.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { readNpy } from '../../io/numpy/npy.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import type { Module } from '../../nn/module.ts';
import { evaluationFeeds, evaluationStep } from '../../program/evaluationStep.ts';
import { type Tensor, type TensorMap, zeros } from '../../tensor/tensor.ts';

/**
 * A model's logits [30, classes], in evaluation mode, of the fixed fake images that come with the package.
 * PyTorch reads the same file, so that nothing but the model can differ (fixtures/check_in_torch.py).
 */
export async function fixedLogits(
  backend: Backend,
  model: Module,
  weights: TensorMap,
): Promise<Tensor> {
  const path = join(fixturesDirectory, 'inputs', 'fake_data.npy');
  const images = readNpy(readFileOrFail(path), path);
  const feeds = evaluationFeeds(images, zeros('int64', [images.shape[0]]));
  const program = evaluationStep(model, images.shape);
  return holding(
    backend,
    program,
    ['logits'],
    weights,
    async (held) => (await held.run(feeds)).get('logits')!,
  );
}
