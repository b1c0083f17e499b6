import { expect, test } from 'vitest';
import { batchNormLayer, convLayer, flatten, linearLayer } from './layers.ts';
import { layerWords } from './layerWords.ts';
import { models } from './models/index.ts';
import { type Module, sequential } from './module.ts';

/** A network of these modules, for images of 64 channels. */
const alone = (...modules: Module[]) => layerWords({ ...sequential(modules), image: [64, 8, 8] });

test('says of a layer what its graph does', () => {
  const conv = { kernel: 3, stride: 2, bias: false };
  expect(alone(convLayer('a', { from: 64, to: 128 }, conv)).get('a')).toBe(
    'Conv2d(64, 128, kernel_size=3, stride=2, bias=False)',
  );
  expect(alone(batchNormLayer('a', 64, { eps: 0.001 })).get('a')).toBe(
    'BatchNorm2d(64, eps=0.001, momentum=0.1)',
  );
  expect(alone(flatten, linearLayer('a', { from: 4096, to: 10 })).get('a')).toBe(
    'Linear(4096, 10)',
  );
});

test('says of a sum what is summed', () => {
  const words = layerWords(models.preresnet110.build(10));
  expect(words.get('layer2.0')).toBe('layer2.0.conv3 + layer2.0.downsample.0');
  expect(words.get('layer2.1')).toBe('layer2.1.conv3 + layer2.0');
});
