import { join } from 'node:path';
import type { Backend, DeviceState } from '../../backends/backend.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { readNpy } from '../../io/numpy/npy.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import type { Module } from '../../nn/module.ts';
import { evaluationStep } from '../../program/evaluationStep.ts';
import { type Tensor, zeros } from '../../tensor/tensor.ts';

/**
 * A model's logits [30, classes], in evaluation mode, of the fixed fake images that come with the package.
 * PyTorch reads the same file, so that nothing but the model can differ (fixtures/check_in_torch.py).
 */
export async function fixedLogits(
  backend: Backend,
  model: Module,
  state: DeviceState,
): Promise<Tensor> {
  const path = join(fixturesDirectory, 'inputs', 'fake_data.npy');
  const images = readNpy(readFileOrFail(path), path);
  const executable = await backend.compile(evaluationStep(model, images.shape), ['logits']);
  const feeds = new Map([
    ['images', images],
    ['labels', zeros('int64', [images.shape[0]])],
  ]);
  try {
    return (await executable.run(state, feeds)).get('logits')!;
  } finally {
    await executable.dispose();
  }
}
