import { vi } from 'vitest';
import { models } from '../../src/nn/models/index.ts';
import { vgg } from '../../src/nn/models/vgg.ts';

/** Has commands of this process make VGG16 and VGG16BN with every width divided by `narrow`, until mocks are restored. */
export function narrowVggs(narrow: number): void {
  for (const name of ['vgg16', 'vgg16bn'] as const) {
    const batchNorm = name === 'vgg16bn';
    vi.spyOn(models[name], 'build').mockImplementation((classes) =>
      vgg({ depth: 16, batchNorm, classes, narrow }),
    );
  }
}
