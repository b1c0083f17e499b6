/** Mistakes in the weights a run begins with. */
import { fillU32 } from '../../../src/torch/generator.ts';
import type { InitStep } from '../../../src/torch/initialise.ts';
import { causes } from '../causes.ts';
import { type Family, inModule, type Look, type Plant } from '../plant.ts';

type Generator = typeof import('../../../src/torch/generator.ts');
type Initialise = typeof import('../../../src/torch/initialise.ts');
type Uniform = typeof import('../../../src/torch/uniform.ts');

const { fround } = Math;

/** The constructor's draws changed, one by one. */
const drawing = (change: (step: InitStep, shape: readonly number[]) => InitStep): Plant =>
  inModule<Initialise>('torch/initialise.ts', (real) => ({
    initialise: (plan, g) =>
      real.initialise(
        { ...plan, steps: plan.steps.map((s) => change(s, plan.shapes.get(s.name)!)) },
        g,
      ),
  }));

const loss = (at: string): Look & { at: string } => ({ model: 'vgg16', stage: 'loss', at });

export const initialisation: Family = {
  name: 'initialisation',
  looks: [{ model: 'vgg16', stage: 'loss' }],
  bugs: [
    {
      name: 'convolutions scaled by fan-in',
      people: "take He's usual form where the authors count outputs",
      plants: [
        drawing((step, shape) =>
          step.kind === 'normal' ? { ...step, std: Math.sqrt(2 / (9 * shape[1])) } : step,
        ),
      ],
      cause: {
        reads: "√(64/3) × the reference's: scaled by fan-in, not by fan-out",
        says: /fan-in|^4\.6\d* ×/,
      },
      caught: loss('features.0.weight'),
    },
    {
      name: 'convolutions drawn uniformly',
      people: 'take kaiming_uniform for kaiming_normal',
      plants: [
        drawing((step) =>
          step.kind === 'normal'
            ? { kind: 'uniform', name: step.name, bound: Math.sqrt(3) * step.std }
            : step,
        ),
      ],
      cause: { reads: "drawn uniformly, the reference's normally", says: /uniform/ },
      caught: loss('features.0.weight'),
    },
    {
      name: 'linear layers scaled by fan-out',
      people: 'take the first dimension for the inputs, as in [in, out]',
      plants: [
        drawing((step, shape) =>
          step.kind === 'uniform' && step.name.startsWith('classifier') && shape.length === 2
            ? { ...step, bound: 1 / Math.sqrt(shape[0]) }
            : step,
        ),
      ],
      cause: causes.otherBound,
      caught: loss('classifier.6.weight'),
    },
    {
      name: 'biases of linear layers zero',
      people: "keep Keras's default",
      plants: [
        drawing((step) =>
          step.kind === 'uniform' && /^classifier.*bias$/.test(step.name)
            ? { ...step, bound: 0 }
            : step,
        ),
      ],
      cause: { reads: 'zero everywhere', says: /zero everywhere/ },
      caught: loss('classifier.1.bias'),
    },
    {
      name: "Glorot's uniform for linear layers",
      people: "keep TensorFlow's default",
      plants: [
        drawing((step, shape) =>
          step.kind === 'uniform' && step.name.startsWith('classifier') && shape.length === 2
            ? { ...step, bound: Math.sqrt(6 / (shape[0] + shape[1])) }
            : step,
        ),
      ],
      cause: causes.otherBound,
      caught: loss('classifier.1.weight'),
    },
    {
      name: 'defaults that are overwritten later not drawn',
      people: 'skip what seems to be thrown away: the stream moves on by it all the same',
      plants: [
        inModule<Initialise>('torch/initialise.ts', (real) => ({
          initialise: (plan, g) => {
            const last = new Map(plan.steps.map((step, i) => [step.name, i]));
            const steps = plan.steps.filter((step, i) => last.get(step.name) === i);
            return real.initialise({ ...plan, steps }, g);
          },
        })),
      ],
      cause: causes.otherDraws,
      caught: loss('features.0.weight'),
    },
    {
      name: 'uniform numbers of 32 bits',
      people: 'divide a draw by 2³² where PyTorch keeps 24 bits',
      plants: [
        inModule<Uniform>('torch/uniform.ts', (real) => ({
          uniform: (g, out, from, to) => {
            const draws = real.asDraws(out);
            fillU32(g, draws);
            for (let i = 0; i < out.length; i++) out[i] = draws[i] * 2 ** -32 * (to - from) + from;
          },
        })),
      ],
      cause: {
        reads: 'more bits of each draw: the same but for the last places',
        says: /bits|last place|rounding/,
      },
      caught: loss('classifier.1.weight'),
    },
    {
      name: 'uniform numbers rounded twice',
      people: 'multiply, round, add, where one fused operation rounds once',
      plants: [
        inModule<Uniform>('torch/uniform.ts', (real) => ({
          uniform: (g, out, from, to) => {
            const low = fround(from);
            const width = fround(fround(to) - low);
            const units = real.rand(g, out.length);
            for (let i = 0; i < out.length; i++) out[i] = fround(units[i] * width) + low;
          },
        })),
      ],
      cause: causes.rounding,
      caught: loss('classifier.1.weight'),
    },
    {
      name: 'uniform numbers computed in float64',
      people: 'round to float32 at the very end',
      plants: [
        inModule<Uniform>('torch/uniform.ts', (real) => ({
          uniform: (g, out, from, to) => {
            const units = real.rand(g, out.length);
            for (let i = 0; i < out.length; i++) out[i] = units[i] * (to - from) + from;
          },
        })),
      ],
      cause: causes.rounding,
      caught: loss('classifier.1.weight'),
    },
    {
      name: 'the seed off by one',
      people: 'seed with seed + rank, ranks counted from 1',
      plants: [
        inModule<Generator>('torch/generator.ts', (real) => ({
          manualSeed: (seed) => real.manualSeed(BigInt(seed) + 1n),
        })),
      ],
      cause: { reads: 'drawn from another seed', says: /seed/ },
      caught: loss('features.0.weight'),
    },
    {
      name: 'initialised twice',
      people: 'call a function that walks over sub-modules for every sub-module',
      plants: [
        inModule<Initialise>('torch/initialise.ts', (real) => ({
          initialise: (plan, g) => {
            real.initialise(plan, g);
            return real.initialise(plan, g);
          },
        })),
      ],
      cause: causes.otherDraws,
      caught: loss('features.0.weight'),
    },
    {
      name: 'the classifier initialised twice',
      people: 'reset one part once more',
      plants: [
        inModule<Initialise>('torch/initialise.ts', (real) => ({
          initialise: (plan, g) => {
            const again = plan.steps.filter(({ name }) => name.startsWith('classifier.'));
            return real.initialise({ ...plan, steps: [...plan.steps, ...again] }, g);
          },
        })),
      ],
      cause: causes.otherDraws,
      caught: loss('classifier.1.weight'),
    },
  ],
};
