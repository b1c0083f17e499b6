import { expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { checkClasses } from './dataset.ts';

test('a model is shown no images of classes that it does not have', () => {
  expect(() => checkClasses('cifar10', 'synthetic')).not.toThrow();
  expect(() => checkClasses('cifar100', 'cifar100')).not.toThrow();
  expect(() => checkClasses('cifar10', 'cifar100')).toThrow(
    new UsageError('cifar100 has 100 classes, and the model 10', {
      where: '--dataset',
      fix: 'leave it out: the model was trained on cifar10',
    }),
  );
});
