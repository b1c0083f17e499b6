/** Mistakes in the optimizers that the recipe does not use, and in Nesterov's momentum. */
import { add, div, mul, sqrt, sub } from '../../../src/ir/build.ts';
import type { Node } from '../../../src/ir/node.ts';
import type { AdamSettings } from '../../../src/optim/adam.ts';
import type { Rule } from '../../../src/optim/rule.ts';
import type { SgdSettings } from '../../../src/optim/sgd.ts';
import { causes } from '../causes.ts';
import { type Family, inModule, type Look, type Plant } from '../plant.ts';
import { inBfloat16 } from '../roundedTo.ts';

type AdamModule = typeof import('../../../src/optim/adam.ts');
type SgdModule = typeof import('../../../src/optim/sgd.ts');

interface Step {
  readonly g: Node;
  readonly m: Node;
  readonly v: Node;
  readonly t: Readonly<Record<string, Node>>;
  readonly settings: AdamSettings;
}

/** The new means, and what is divided by what; the weight moves by `stepSize` times that. */
type Move = (step: Step) => { mean: Node; square: Node; over: Node; stepSize?: Node };

const means = ({ g, m, v, settings: { betas } }: Step): { mean: Node; square: Node } => ({
  mean: add(mul(m, betas[0]), mul(g, 1 - betas[0])),
  square: add(mul(v, betas[1]), mul(mul(g, g), 1 - betas[1])),
});

const over = ({ square }: { square: Node }, { t, settings: { eps } }: Step): Node =>
  add(div(sqrt(square), t.root), eps);

/** Adam's step written otherwise; AdamW stays as it is. */
const adam = (move: Move, scalars?: Rule<AdamSettings>['scalars']): Plant =>
  inModule<AdamModule>('optim/adam.ts', ({ adam: real }, took) => ({
    adam: {
      ...real,
      ...(scalars && { scalars }),
      update: (settings, { weight, gradient }, { exp_avg: m, exp_avg_sq: v }, t) => {
        took();
        const g = add(gradient, mul(weight, settings.weightDecay));
        const found = move({ g, m, v, t, settings });
        const { mean, square, stepSize = t.stepSize } = found;
        const moved = sub(weight, mul(div(mean, found.over), stepSize));
        return { weight: moved, slots: { exp_avg: mean, exp_avg_sq: square } };
      },
    },
  }));

const other = (
  change: (real: AdamModule) => { -readonly [K in 'adam' | 'adamw']?: Rule<AdamSettings> },
): Plant =>
  inModule<AdamModule>('optim/adam.ts', (real, took) => {
    took();
    return change(real);
  });

const nesterov = (
  update: (
    settings: SgdSettings,
    real: Rule<SgdSettings>['update'],
    ...rest: Parameters<Rule<SgdSettings>['update']> extends [unknown, ...infer R] ? R : never
  ) => ReturnType<Rule<SgdSettings>['update']>,
): Plant =>
  inModule<SgdModule>('optim/sgd.ts', ({ sgd }, took) => ({
    sgd: {
      ...sgd,
      update: (settings, ...rest) => {
        if (settings.nesterov !== true) return sgd.update(settings, ...rest);
        took();
        return update(settings, sgd.update, ...rest);
      },
    },
  }));

/** Gradients that nobody sets to zero between steps: kept beside what the rule keeps, and added up. */
const adding = <Settings>(rule: Rule<Settings>): Rule<Settings> => ({
  ...rule,
  slots: [...rule.slots, 'sum'],
  update: (settings, { weight, gradient }, { sum, ...slots }, scalars) => {
    const all = add(sum, gradient);
    const updated = rule.update(settings, { weight, gradient: all }, slots, scalars);
    return { ...updated, slots: { ...updated.slots, sum: all } };
  },
});

const ops = (at: string): Look & { at: string } => ({ model: 'vgg16', stage: 'ops', at });

export const otherOptimizers: Family = {
  name: 'other optimizers',
  looks: [{ model: 'vgg16', stage: 'ops' }],
  bugs: [
    {
      name: "Adam's eps inside the root",
      people: 'write √(v + ε), as some papers do',
      plants: [
        adam((step) => {
          const { mean, square } = means(step);
          const { root } = step.t;
          const inside = sqrt(add(div(square, mul(root, root)), step.settings.eps));
          return { mean, square, over: inside };
        }),
      ],
      cause: { reads: 'eps stands inside the root', says: /\beps\b.*(inside|under) the root/ },
      caught: ops('Adam/weight'),
    },
    {
      name: "Adam's eps added before the correction",
      people: 'take √v + ε first, as TensorFlow does',
      plants: [
        adam((step) => {
          const { mean, square } = means(step);
          return { mean, square, over: div(add(sqrt(square), step.settings.eps), step.t.root) };
        }),
      ],
      cause: { reads: 'eps is added before the bias correction', says: /\beps\b/ },
      caught: ops('Adam/weight'),
    },
    {
      name: 'Adam without bias correction',
      people: 'leave out what matters in the first steps only',
      plants: [
        adam(
          (step) => ({ ...means(step), over: over(means(step), step) }),
          (_, lr) => ({ stepSize: lr, root: 1 }),
        ),
      ],
      cause: { reads: 'the bias correction is missing', says: /bias correction/ },
      caught: ops('Adam/weight'),
    },
    {
      name: "only Adam's mean corrected",
      people: 'correct one of two moments',
      plants: [
        adam(
          (step) => ({ ...means(step), over: over(means(step), step) }),
          ({ betas }, lr, t) => ({ stepSize: lr / (1 - betas[0] ** t), root: 1 }),
        ),
      ],
      cause: {
        reads: 'the bias correction of the squares is missing',
        says: /bias correction/,
      },
      caught: ops('Adam/weight'),
    },
    {
      name: "Adam's steps counted from 2",
      people: 'count the step before and after the update',
      plants: [
        other((real) => ({
          adam: { ...real.adam, scalars: (s, lr, t) => real.adam.scalars(s, lr, t + 1) },
        })),
      ],
      cause: {
        reads: 'the bias correction is that of the next step',
        says: /bias correction|next step|step count/,
      },
      caught: ops('Adam/weight'),
    },
    {
      name: "Adam's betas swapped",
      people: 'give (0.999, 0.9)',
      plants: [
        other((real) => ({
          adam: {
            ...real.adam,
            update: (s, ...rest) =>
              real.adam.update({ ...s, betas: [s.betas[1], s.betas[0]] }, ...rest),
          },
        })),
      ],
      cause: { reads: 'the two betas are swapped', says: /beta|momentum 0\.99/ },
      caught: ops('Adam/weight'),
    },
    {
      name: 'Adam with decoupled weight decay',
      people: 'take AdamW for Adam',
      plants: [other((real) => ({ adam: real.adamw }))],
      cause: { reads: 'weight decay is decoupled: AdamW for Adam', says: /decoupled|AdamW/ },
      caught: ops('Adam/weight'),
    },
    {
      name: 'AdamW with weight decay in the gradient',
      people: 'take Adam for AdamW',
      plants: [other((real) => ({ adamw: real.adam }))],
      cause: {
        reads: 'weight decay is added to the gradient: Adam for AdamW',
        says: /weight decay.*gradient|Adam for AdamW/,
      },
      caught: ops('AdamW/weight'),
    },
    {
      name: "AdamW's decay without the learning rate",
      people: 'shrink by 1 − λ, as the paper writes it',
      plants: [
        other((real) => ({
          adamw: {
            ...real.adamw,
            scalars: (s, lr, t) => ({ ...real.adamw.scalars(s, lr, t), keep: 1 - s.weightDecay }),
          },
        })),
      ],
      cause: {
        reads: 'weight decay is not multiplied by the learning rate',
        says: /weight decay/,
      },
      caught: ops('AdamW/weight'),
    },
    {
      name: 'AdamW without weight decay',
      people: 'exclude every parameter from it by name',
      plants: [
        other((real) => ({
          adamw: {
            ...real.adamw,
            scalars: (s, lr, t) => ({ ...real.adamw.scalars(s, lr, t), keep: 1 }),
          },
        })),
      ],
      cause: causes.noWeightDecay,
      caught: ops('AdamW/weight'),
    },
    {
      name: "Adam's moments kept in bfloat16",
      people: "save half of the optimizer's memory",
      plants: [
        adam((step) => {
          const { mean, square } = means(step);
          const kept = { mean: inBfloat16(mean), square: inBfloat16(square) };
          return { ...kept, over: over(kept, step) };
        }),
      ],
      cause: causes.bfloat16,
      caught: ops('Adam/weight'),
    },
    {
      name: "Adam's gradients not cleared between steps",
      people: 'forget zero_grad()',
      plants: [other((real) => ({ adam: adding(real.adam) }))],
      cause: causes.accumulated,
      caught: ops('Adam/weight'),
    },
    {
      name: 'gradients not cleared between steps',
      people: 'forget zero_grad(), which no first step shows',
      plants: [
        inModule<SgdModule>('optim/sgd.ts', ({ sgd }, took) => {
          took();
          return { sgd: adding(sgd) };
        }),
      ],
      cause: causes.accumulated,
      caught: ops('SGD with Nesterov/weight'),
    },
    {
      name: 'nesterov=True ignored',
      people: 'read the other settings and not this one',
      plants: [nesterov((s, real, ...rest) => real({ ...s, nesterov: false }, ...rest))],
      cause: {
        reads: 'plain momentum, the reference has Nesterov',
        says: /nesterov/i,
      },
      caught: ops('SGD with Nesterov/weight'),
    },
    {
      name: 'Nesterov looks ahead from the momentum',
      people: 'add μ·v to v where it is added to the gradient',
      plants: [
        nesterov(({ momentum: mu, weightDecay }, _, { weight, gradient }, slots, { lr }) => {
          const d = add(gradient, mul(weight, weightDecay));
          const momentum = add(mul(slots.momentum, mu), d);
          const ahead = add(momentum, mul(momentum, mu));
          return { slots: { momentum }, weight: sub(weight, mul(ahead, lr)) };
        }),
      ],
      cause: {
        reads: 'Nesterov adds to the momentum where it should add to the gradient',
        says: /momentum|nesterov/i,
      },
      caught: ops('SGD with Nesterov/weight'),
    },
  ],
};
