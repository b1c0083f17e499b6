import { describe, expect, it } from 'vitest';
import { maxPool2d, maxPool2dGrad, pair } from '../ir/build.ts';
import { convLayer, flatten, linearLayer, reluLayer } from '../nn/layers.ts';
import { type Module, recorded, residual, sequential } from '../nn/module.ts';
import { trainingStep } from './trainingStep.ts';

const optimizer = { kind: 'sgd', momentum: 0.9, weightDecay: 0 } as const;

/** A network of three 4×4 channels and ten classes. */
const step = (...layers: readonly Module[]) =>
  trainingStep(sequential(layers), {
    images: [2, 3, 4, 4],
    dropout: false,
    optimizer,
  });

const same = convLayer('conv', { from: 3, to: 3 }, { kernel: 3, padding: 1 });
const head = (features: number): Module[] => [
  flatten,
  linearLayer('fc', { from: features, to: 10 }),
];

describe('a graph that does not fit together names the layer', () => {
  it('is no error where it does', () => {
    expect(() => step(residual('block', same), ...head(48))).not.toThrow();
  });

  it('whose maps another padding has made smaller', () => {
    const smaller = convLayer('block.conv', { from: 3, to: 3 }, { kernel: 3 });
    expect(() => step(residual('block', smaller), ...head(48))).toThrow(/^block: .*2, 2/);
    expect(() => step(smaller, ...head(48))).toThrow(/^fc: .*48/);
  });

  it('whose kernel is larger than its map, the innermost of several', () => {
    const large = convLayer('block.conv', { from: 3, to: 3 }, { kernel: 7 });
    expect(() => step(residual('block', large), ...head(48))).toThrow(/^block\.conv: /);
  });

  it('of which no gradient is known', () => {
    const odd: Module = {
      state: [],
      init: [],
      dropouts: [],
      forward: recorded('odd', (x) => {
        const window = { kernel: pair(2), stride: pair(2), padding: pair(0) };
        return maxPool2dGrad(x, maxPool2d(x, window), window);
      }),
    };
    expect(() => step(same, odd, reluLayer('relu'), ...head(48))).toThrow(
      'odd: maxPool2dGrad has no adjoint',
    );
  });
});
