import { expect, it, vi } from 'vitest';
import { vgg } from '../nn/models/vgg.ts';
import { evaluationStep } from '../program/evaluationStep.ts';
import { compilingOnce } from './compilingOnce.ts';
import { oracleBackend } from './oracle/oracleBackend.ts';

it('compiles a program once for its name, the shape of its images and what is fetched', async () => {
  const oracle = oracleBackend();
  const compile = vi.fn(oracle.compile);
  const backend = compilingOnce({ ...oracle, compile });
  const model = vgg({ depth: 16, batchNorm: false, classes: 10, narrow: 16 });
  const of = (images: number) => evaluationStep(model, [images, 3, 32, 32]);
  const first = await backend.compile(of(2), ['logits']);
  await first.dispose();
  await backend.compile(of(2), ['logits']);
  expect(compile).toHaveBeenCalledTimes(1);
  await backend.compile(of(2), ['loss']);
  await backend.compile(of(3), ['logits']);
  expect(compile).toHaveBeenCalledTimes(3);
});
