import { expect, inject, test } from 'vitest';
import 'swa-align/vitest';
import * as tf from '@tensorflow/tfjs';
import { fetchReference } from 'swa-align/browser';
import { type Mistake, run } from './port.ts';

/* vitest's browser mode: this file runs in a page, and so does the network. */

declare module 'vitest' {
  interface ProvidedContext {
    readonly mistake: string;
  }
}

const ref = await fetchReference('/ref');
const rec = await run(ref, inject('mistake') as Mistake);

test('the port aligns with PyTorch', () => {
  expect(rec).toAlignWith(ref);
});

test('the first activation does', () => {
  expect(rec.tensors.get('stem.act.output')).toAlignWith(ref.probe('stem.act.output'));
});

test('a tensor of TensorFlow.js is judged as it is, in its own layout', () => {
  const input = ref.input('input', { layout: 'NHWC', dtype: 'float32' });
  const x = tf.tensor(input.data, [...input.shape]);
  expect(x).toAlignWith(ref.probe('input'), { layout: 'NHWC' });
  expect(x.add(1e-3)).not.toAlignWith(ref.probe('input'), { layout: 'NHWC' });
});
