import { expect, it } from 'vitest';
import { type ModelName, models } from '../nn/models/index.ts';
import { evaluationStep } from './evaluationStep.ts';
import { productsOf } from './products.ts';
import { trainingStep } from './trainingStep.ts';

/** Half of what PyTorch's torch.utils.flop_counter counts for one 32×32 image: a product and a sum are two. */
it.each<[ModelName, number]>([
  ['vgg16', 313_725_952],
  ['preresnet164', 247_646_720],
  ['wideresnet28x10', 5_951_117_568],
])('counts the products of %s as PyTorch does', (name, products) => {
  const model = models[name].build(10);
  const forward = productsOf(evaluationStep(model, [1, 3, 32, 32]), ['logits']);
  expect(forward).toBe(products);
  // Back again, each layer makes two such sums, but the first one needs no gradient of its images.
  const optimizer = { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;
  const step = trainingStep(model, { images: [2, 3, 32, 32], dropout: true, optimizer });
  const both = productsOf(step, ['loss']) / 2;
  expect(both / forward).toBeGreaterThan(2.95);
  expect(both / forward).toBeLessThanOrEqual(3);
});
