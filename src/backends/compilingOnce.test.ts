import { expect, it, vi } from 'vitest';
import { vgg } from '../nn/models/vgg.ts';
import { evaluationStep } from '../program/evaluationStep.ts';
import { trainingStep } from '../program/trainingStep.ts';
import { compilingOnce } from './compilingOnce.ts';
import { oracleBackend } from './oracle/oracleBackend.ts';

it('compiles a program once, known by what it computes and what is fetched', async () => {
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

it('keeps steps apart that are called alike and compute otherwise', async () => {
  const oracle = oracleBackend();
  const compile = vi.fn(oracle.compile);
  const backend = compilingOnce({ ...oracle, compile });
  const model = vgg({ depth: 16, batchNorm: false, classes: 10, narrow: 16 });
  const step = (weightDecay: number) =>
    trainingStep(model, {
      images: [2, 3, 32, 32],
      optimizer: { kind: 'sgd', momentum: 0.9, weightDecay },
      dropout: true,
    });
  for (const decay of [5e-4, 5e-4, 1e-4, 0]) await backend.compile(step(decay), ['loss']);
  expect(compile).toHaveBeenCalledTimes(3);
});
