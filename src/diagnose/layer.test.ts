import { expect, it } from 'vitest';
import { layerOf, numberOf, perAxis } from './layer.ts';

it('reads a layer as PyTorch prints it, and as somebody makes it', () => {
  const printed = layerOf('Conv2d(3, 64, kernel_size=(3, 5), stride=(1, 1), bias=False)')!;
  expect(printed.name).toBe('Conv2d');
  expect(printed.values).toEqual([3, 64]);
  expect(printed.keywords.get('bias')).toBe('False');
  expect(perAxis(printed, 'kernel_size', 2, 1)).toEqual([3, 5]);
  expect(perAxis(printed, 'padding', 2, 0)).toEqual([0, 0]);
  expect(perAxis(layerOf('MaxPool2d(kernel_size=2)')!, 'kernel_size', 2, 1)).toEqual([2, 2]);
  expect(layerOf('LayerNorm((16,), eps=1e-05)')!.values).toEqual([[16]]);
});

it('finds numbers only', () => {
  expect(numberOf('BatchNorm2d(8, eps=1e-05, momentum=0.1)', 'eps')).toBe(1e-5);
  expect(numberOf('BatchNorm2d(8, eps=1e-05, momentum=None)', 'momentum')).toBeUndefined();
  expect(numberOf('add', 'eps')).toBeUndefined();
  expect(numberOf(undefined, 'eps')).toBeUndefined();
});
