import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import 'swa-align/vitest';
import { judge, openReference } from 'swa-align';
import { run } from './port.ts';

const ref = openReference(fileURLToPath(new URL('ref', import.meta.url)));
// TensorFlow.js differentiates by itself and counts no batches.
const except = ['*.output.grad', '*num_batches_tracked'];

beforeAll(() => tf.setBackend('cpu'));

test('two steps align with PyTorch: outputs, gradients, momenta, weights, running statistics', () => {
  expect(run(ref)).toAlignWith(ref, { except });
});

test('the epsilon that TensorFlow has by default is named by its layer', () => {
  const { diverges } = judge(run(ref, 'TensorFlow’s epsilon'), ref, { except });
  expect([diverges[0].name, diverges[0].layer]).toEqual(['block.bn.output', 'block.bn']);
  expect(diverges[0].cause?.says).toBe('fits epsilon 1.0e-3, the reference used 1.0e-5');
});

test('a biased running variance is named as the buffer it is', () => {
  const { diverges } = judge(run(ref, 'biased running variance'), ref, { except });
  expect(diverges[0].name).toMatch(/^(block\.)?bn\.running_var$/);
  expect(diverges[0].cause).toMatchObject({
    says: 'by the variance of n, the reference takes that of n − 1',
    explains: 2,
  });
});
