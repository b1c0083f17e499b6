/** Mistakes in the update rule and in the learning rate it is given. */
import { add, mul, sub } from '../../../src/ir/build.ts';
import type { Node } from '../../../src/ir/node.ts';
import type { Updated } from '../../../src/optim/rule.ts';
import type { learningRate, ScheduleSettings } from '../../../src/optim/schedule.ts';
import type { SgdSettings } from '../../../src/optim/sgd.ts';
import { causes } from '../causes.ts';
import { type Family, inGraph, inModule, type Plant } from '../plant.ts';

interface Step extends SgdSettings {
  readonly w: Node;
  readonly g: Node;
  readonly v: Node;
  readonly lr: Node;
}

/** SGD by another rule, as the recipe uses it: Nesterov's, which only stage *ops* asks for, stays. */
const rule = (update: (step: Step) => { readonly momentum: Node; readonly weight: Node }): Plant =>
  inModule<typeof import('../../../src/optim/sgd.ts')>('optim/sgd.ts', ({ sgd }, took) => ({
    sgd: {
      ...sgd,
      update: (settings, of, slots, scalars): Updated => {
        if (settings.nesterov) return sgd.update(settings, of, slots, scalars);
        took();
        const [{ weight: w, gradient: g }, { momentum: v }, { lr }] = [of, slots, scalars];
        const { momentum, weight } = update({ w, g, v, lr, ...settings });
        return { slots: { momentum }, weight };
      },
    },
  }));

/** The rule as it is, on another gradient. */
const onGradient = (gradient: (step: Step) => Node): Plant =>
  rule((step) => {
    const v = add(mul(step.v, step.momentum), gradient(step));
    return { momentum: v, weight: sub(step.w, mul(v, step.lr)) };
  });

const decayed = ({ w, g, weightDecay }: Step): Node => add(g, mul(w, weightDecay));
const isBias = ({ w }: Step): boolean => w.op === 'input' && w.params.name.endsWith('.bias');

/** Of all weights only those of batch norm are vectors. */
const isScaleOfNorm = (node: Node): boolean =>
  node.op === 'input' && node.params.name.endsWith('.weight') && node.shape.length === 1;

type Schedule = typeof import('../../../src/optim/schedule.ts');

const schedule = (
  rate: (real: typeof learningRate, epoch: number, settings: ScheduleSettings) => number,
): Plant =>
  inModule<Schedule>('optim/schedule.ts', ({ learningRate: real }) => ({
    learningRate: (epoch, settings) => rate(real, epoch, settings),
  }));

export const optimiser: Family = {
  name: 'optimiser',
  looks: [
    { model: 'vgg16', stage: 'ops' },
    { model: 'vgg16', stage: 'backward' },
  ],
  bugs: [
    {
      name: 'learning rate folded into the momentum',
      people: 'take v ← μv + lr·d, as Sutskever, Paddle and TensorFlow do',
      plants: [
        rule((step) => {
          const v = add(mul(step.v, step.momentum), mul(decayed(step), step.lr));
          return { momentum: v, weight: sub(step.w, v) };
        }),
      ],
      cause: {
        reads: 'the momentum holds the learning rate: multiplied by it',
        says: /(multiplied by|holds) the learning rate/,
      },
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight.momentum' },
    },
    {
      name: 'Nesterov momentum',
      people: 'leave a switch on',
      plants: [
        rule((step) => {
          const d = decayed(step);
          const v = add(mul(step.v, step.momentum), d);
          const ahead = add(d, mul(v, step.momentum));
          return { momentum: v, weight: sub(step.w, mul(ahead, step.lr)) };
        }),
      ],
      cause: { reads: 'Nesterov momentum, the reference has the plain one', says: /nesterov/i },
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight' },
    },
    {
      name: 'dampened momentum',
      people: 'weigh the gradient by 1 − μ, as an average of gradients',
      plants: [onGradient((step) => mul(decayed(step), 1 - step.momentum))],
      cause: { reads: 'the gradient is dampened by 1 − momentum', says: /dampen/ },
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight' },
    },
    {
      name: 'no momentum',
      people: 'take plain SGD',
      plants: [
        rule((step) => {
          const d = decayed(step);
          return { momentum: d, weight: sub(step.w, mul(d, step.lr)) };
        }),
      ],
      cause: causes.noMomentum,
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight' },
    },
    {
      name: 'weights moved by the old momentum',
      people: 'update the weight before the momentum',
      plants: [
        rule((step) => ({
          momentum: add(mul(step.v, step.momentum), decayed(step)),
          weight: sub(step.w, mul(step.v, step.lr)),
        })),
      ],
      cause: {
        reads: 'moved by the momentum of the step before',
        says: /momentum.*(before|old|previous|last)/,
      },
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight' },
    },
    {
      name: 'weight decay forgotten',
      people: 'leave the argument out',
      plants: [onGradient(({ g }) => g)],
      cause: causes.noWeightDecay,
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight' },
    },
    {
      name: 'weight decay decoupled',
      people: 'shrink the weight beside the momentum, as AdamW does',
      plants: [
        rule(({ w, g, v, lr, momentum, weightDecay }) => {
          const next = add(mul(v, momentum), g);
          const shrunk = sub(w, mul(mul(w, weightDecay), lr));
          return { momentum: next, weight: sub(shrunk, mul(next, lr)) };
        }),
      ],
      cause: {
        reads: "weight decay is decoupled from the momentum, as AdamW's",
        says: /decoupled|AdamW/,
      },
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight' },
    },
    {
      name: 'weight decay twice as strong',
      people: 'differentiate λ‖w‖² where λ/2 is meant',
      plants: [onGradient(({ w, g, weightDecay }) => add(g, mul(w, 2 * weightDecay)))],
      cause: {
        reads: "weight decay is twice the reference's",
        says: /weight decay.*(twice|2 ×|0\.001\b|1e-3)|(twice|2 ×).*weight decay/,
      },
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight' },
    },
    {
      name: 'no weight decay on biases',
      people: 'follow newer recipes',
      plants: [onGradient((step) => (isBias(step) ? step.g : decayed(step)))],
      cause: causes.noWeightDecay,
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.bias' },
    },
    {
      name: 'weight decay on biases only',
      people: 'turn the condition round',
      plants: [onGradient((step) => (isBias(step) ? decayed(step) : step.g))],
      cause: causes.noWeightDecay,
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight' },
    },
    {
      name: 'weight decay subtracted',
      people: 'lose a sign',
      plants: [onGradient(({ w, g, weightDecay }) => sub(g, mul(w, weightDecay)))],
      cause: {
        reads: 'weight decay has the other sign',
        says: /weight decay.*(sign|subtracted|−)/,
      },
      caught: { model: 'vgg16', stage: 'backward', at: 'sgd/features.0.weight' },
    },
  ],
};

/** Mistakes that the rule by itself does not make. */
export const updates: Family = {
  name: 'updates inside the training step',
  looks: [{ model: 'vgg16bn', stage: 'backward' }],
  bugs: [
    {
      name: 'no weight decay on batch norm in the training step',
      people: 'put parameters into groups, and lose a setting of one',
      plants: [
        inGraph((node, { program, inputs }) =>
          program.name === 'training step' && node.op === 'mul' && isScaleOfNorm(node.inputs[0])
            ? mul(inputs[0], 0)
            : undefined,
        ),
      ],
      cause: causes.noWeightDecay,
      caught: { model: 'vgg16bn', stage: 'backward', at: 'after iter0/features.1.weight' },
    },
  ],
};

export const rates: Family = {
  name: 'learning rate',
  looks: [
    { model: 'vgg16bn', stage: 'epochs' },
    { model: 'vgg16', stage: 'swa' },
  ],
  bugs: [
    {
      name: 'learning rate one epoch late',
      people: 'step the scheduler after the epoch that it was for',
      plants: [schedule((real, epoch, s) => real(Math.max(0, epoch - 1), s))],
      cause: causes.epochLate,
      caught: { model: 'vgg16bn', stage: 'epochs', at: 'learning rate' },
    },
    {
      name: 'learning rate one epoch early',
      people: 'count epochs from 1',
      plants: [schedule((real, epoch, s) => real(epoch + 1, s))],
      cause: {
        reads: "each epoch's rate is the next one's: one epoch early",
        says: /early|ahead|next epoch|epoch after/,
      },
      caught: { model: 'vgg16bn', stage: 'epochs', at: 'learning rate' },
    },
    {
      name: 'schedule over all epochs',
      people: 'divide by epochs where the authors divide by swa_start',
      plants: [
        schedule((real, epoch, { swa, ...s }) =>
          real(epoch, swa === undefined ? s : { ...s, swa: { ...swa, start: s.epochs } }),
        ),
      ],
      cause: {
        reads: 'the rate falls until the last epoch, not until swa_start',
        says: /swa_start|last epoch|all epochs|slower/,
      },
      caught: { model: 'vgg16bn', stage: 'epochs', at: 'learning rate' },
    },
    {
      name: 'schedule ends at 1 % instead of swa_lr',
      people: 'keep the schedule of plain SGD',
      plants: [
        schedule((real, epoch, { swa, lrInit, ...s }) =>
          real(
            epoch,
            swa === undefined
              ? { lrInit, ...s }
              : { lrInit, ...s, swa: { ...swa, lr: lrInit / 100 } },
          ),
        ),
      ],
      cause: causes.rateEnd,
      caught: { model: 'vgg16bn', stage: 'epochs', at: 'learning rate' },
    },
    {
      name: 'swa_lr from swa_start on, and no sooner',
      people: 'switch instead of falling',
      plants: [
        schedule((_, epoch, { lrInit, swa }) =>
          swa !== undefined && epoch + 1 >= swa.start ? swa.lr : lrInit,
        ),
      ],
      cause: {
        reads: 'the rate does not fall: it is switched',
        says: /switched|does not fall|constant until/,
      },
      caught: { model: 'vgg16bn', stage: 'epochs', at: 'learning rate' },
    },
    {
      name: 'rate divided by ten at half time',
      people: 'take the classical step schedule',
      plants: [
        schedule(
          (_, epoch, { lrInit, epochs }) => lrInit * 0.1 ** Math.floor((2 * epoch) / epochs),
        ),
      ],
      cause: {
        reads: 'the rate is divided by ten at half time',
        says: /divided by (ten|10)|step schedule|half time/,
      },
      caught: { model: 'vgg16bn', stage: 'epochs', at: 'learning rate' },
    },
    {
      name: 'learning rate stepped per batch',
      people: 'call the scheduler in the inner loop',
      plants: (() => {
        let perStep = (lr: number, _step: number): number => lr;
        return [
          inModule<Schedule>('optim/schedule.ts', ({ learningRate: real }) => ({
            learningRate: (epoch, s) => {
              perStep = (_, step) => real(step, s);
              return real(epoch, s);
            },
          })),
          inModule<typeof import('../../../src/optim/optimizer.ts')>(
            'optim/optimizer.ts',
            ({ scalarsAt }) => ({
              scalarsAt: (of, lr, t) => scalarsAt(of, perStep(lr, t - 1), t),
            }),
          ),
        ];
      })(),
      cause: {
        reads: 'the rate falls from step to step, not from epoch to epoch',
        says: /step|batch/,
      },
      caught: { model: 'vgg16bn', stage: 'epochs', at: 'learning rate' },
    },
  ],
};
