import { type OptimizerSettings, scalarsAt } from '../../../../../optim/optimizer.ts';
import { optimizerUpdate } from '../../../../../program/optimizerStep.ts';
import { scalars, type Tensor, tensor } from '../../../../../tensor/tensor.ts';
import { manualSeed } from '../../../../../torch/generator.ts';
import { normal } from '../../../../../torch/normal.ts';
import { watched } from '../../../../../train/health/finiteProbes.ts';

const random = manualSeed(5);
/** Normal numbers. */
export const drawn = (shape: readonly number[]): Tensor => {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  normal(random, data, 0, 1);
  return tensor('float32', shape, data);
};

const shapes = [
  ['a.weight', [5, 7]],
  ['a.bias', [7]],
  ['b.weight', [4, 2, 3, 3]],
] as const;

export const optimizers: readonly OptimizerSettings[] = [
  { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  { kind: 'sgd', momentum: 0.9, weightDecay: 0, nesterov: true },
  { kind: 'adam', betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01 },
  { kind: 'adamw', betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01 },
];

/** An update of three parameters, two steps of it, and what it begins with. */
export function updates(settings: OptimizerSettings) {
  const program = watched(optimizerUpdate(shapes, settings));
  const begin = new Map(
    [...program.state].map(([name, { role, current }]): [string, Tensor] => {
      const t = drawn(current.shape);
      // Adam's mean of squares is not negative.
      return [name, role === 'optimizer' ? squared(t) : t];
    }),
  );
  const feeds = [1, 2].map((t) => {
    const given = new Map(scalars({ ...scalarsAt(settings, 0.05, t) }));
    for (const [name, { shape }] of program.inputs)
      if (!given.has(name)) given.set(name, drawn(shape));
    return given;
  });
  return { program, begin, feeds };
}

const squared = (t: Tensor): Tensor =>
  tensor(
    'float32',
    t.shape,
    (t.data as Float32Array).map((x) => x * x),
  );
