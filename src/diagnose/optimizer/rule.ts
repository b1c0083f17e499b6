import { shortNumber } from '../../shortNumber.ts';

/** Tensors of one parameter at a moment: `weight`, and what is kept beside it: `momentum`, `exp_avg`. All as long. */
export type State = Readonly<Record<string, Float64Array>>;

/** Settings of an optimizer by torch.optim's names; `kind` is its name in lower case. */
export type Settings = Readonly<Record<string, unknown>>;

/** The same step with one thing changed, and what that is for a person. */
export interface Variant<How> {
  readonly key: string;
  readonly says: string;
  readonly how: Partial<How>;
}

/** A number of the step that may be another one. */
export interface Chosen<How> {
  /** `weight decay` */
  readonly what: string;
  readonly used: number;
  /** Where it is looked for. Between 0 and 1 nearness to both ends counts: 0.9, 0.99, 0.999. */
  readonly within: readonly [low: number, high: number];
  readonly share?: true;
  readonly how: (value: number) => Partial<How>;
  readonly says?: (value: number) => string;
}

/** An optimizer's step in plain float64; what people get wrong in it is a setting of its own, called `How`. */
export interface Rule<How> {
  /** What it keeps beside a weight, by the recordings' names; zero before the first step. */
  readonly slots: (how: How) => readonly string[];
  readonly right: (settings: Settings) => How;
  /** Step `t`, counted from 1. Keys in `state` that are no slots stay within these steps. */
  readonly step: (how: How, state: State, gradient: Float64Array, t: number) => State;
  readonly variants: (right: How) => readonly Variant<How>[];
  readonly chosen: (right: How) => readonly Chosen<How>[];
}

/** A setting as a number; undefined where it is none. */
export const numberOf = (settings: Settings, key: string): number | undefined => {
  const value = settings[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};

/** Element by element. */
export const each = (length: number, f: (i: number) => number): Float64Array =>
  Float64Array.from({ length }, (_, i) => f(i));

const sum = 'sum of gradients';

/** The gradient that a step takes: that of all steps so far where nobody sets it to zero between them. */
export function taken(
  accumulates: boolean,
  state: State,
  gradient: Float64Array,
): { readonly g: Float64Array; readonly kept: State } {
  if (!accumulates) return { g: gradient, kept: {} };
  const before = state[sum];
  const g = before === undefined ? gradient : gradient.map((x, i) => x + before[i]);
  return { g, kept: { [sum]: g } };
}

/** What a step leaves, as far as it is let. */
export function moved({ frozen }: Pick<Common, 'frozen'>, before: State, after: State): State {
  if (frozen === 'nothing') return after;
  if (frozen === 'weight') return { ...after, weight: before.weight };
  return Object.fromEntries(
    Object.entries(after).map(([key, { length }]) => [
      key,
      before[key] ?? new Float64Array(length),
    ]),
  );
}

/** What every optimizer may do wrong with the gradient, and with the step as a whole. */
export interface Common {
  readonly lr: number;
  /** λ of the L2 penalty that is added to the gradient. */
  readonly decay: number;
  /** By how much of itself a weight shrinks beside the step. */
  readonly shrink: number;
  /** What the gradient is multiplied by. */
  readonly times: number;
  readonly accumulates: boolean;
  /** What stays as it is. */
  readonly frozen: 'nothing' | 'weight' | 'all';
}

export const commonOf = (settings: Settings, decoupled: boolean): Common => {
  const lr = numberOf(settings, 'lr') ?? Number.NaN;
  const decay = numberOf(settings, 'weight_decay') ?? 0;
  return {
    lr,
    decay: decoupled ? 0 : decay,
    shrink: decoupled ? lr * decay : 0,
    times: settings.maximize === true ? -1 : 1,
    accumulates: false,
    frozen: 'nothing',
  };
};

/** λ of a step's weight decay, however it is applied; 0 without any. */
export const decayOf = ({ decay, shrink, lr }: Common): number =>
  decay !== 0 ? decay : shrink / lr;

export const commonVariants = (right: Common): Variant<Common>[] => {
  const { lr, decay, shrink, times } = right;
  const found: Variant<Common>[] = [
    {
      key: 'not updated',
      says: 'it was not updated: it is frozen, or left out of the optimizer',
      how: { frozen: 'all' },
    },
    {
      key: 'not updated',
      says: 'it was not updated, while what is kept beside it was: the new weight is lost',
      how: { frozen: 'weight' },
    },
    {
      key: 'ascent',
      says: 'its step goes the other way: up the gradient',
      how: { times: -times },
    },
    {
      key: 'backwards',
      says: 'its step goes the other way: the learning rate has the other sign',
      how: { lr: -lr },
    },
    {
      key: 'accumulated',
      says: 'gradients are added up over steps: those of before are not set to zero',
      how: { accumulates: true },
    },
  ];
  const lambda = decayOf(right);
  if (lambda === 0) return found;
  const what = 'weight decay';
  const instead: Variant<Common> =
    decay !== 0
      ? {
          key: `${what} decoupled`,
          says: `${what} is decoupled from the gradient, as AdamW's: the reference adds it to the gradient`,
          how: { decay: 0, shrink: lr * lambda },
        }
      : {
          key: `${what} in gradient`,
          says: `${what} is added to the gradient, as Adam's: the reference's is decoupled, as AdamW's`,
          how: { decay: lambda, shrink: 0 },
        };
  return [
    ...found,
    { key: `${what} missing`, says: `${what} is missing`, how: { decay: 0, shrink: 0 } },
    {
      key: `${what} twice`,
      says: `${what} counts twice: ${2 * lambda} in place of ${lambda}`,
      how: { decay: 2 * decay, shrink: 2 * shrink },
    },
    {
      key: `${what} subtracted`,
      says: `${what} has the other sign: it is subtracted`,
      how: { decay: -decay, shrink: -shrink },
    },
    instead,
    {
      key: `${what} without rate`,
      says: `${what} shrinks the weight by ${lambda}, not multiplied by the learning rate`,
      how: { decay: 0, shrink: lambda },
    },
    {
      key: `${what} both ways`,
      says: `${what} is added to the gradient and shrinks the weight too`,
      how: { decay: lambda, shrink: lr * lambda },
    },
  ];
};

export const commonChosen = (right: Common): Chosen<Common>[] => {
  const { lr, shrink, times } = right;
  const decoupled = shrink !== 0;
  return [
    {
      what: 'weight decay',
      used: decayOf(right),
      within: [1e-8, 10],
      how: (value) => (decoupled ? { shrink: lr * value } : { decay: value }),
    },
    {
      what: 'a learning rate of',
      used: lr,
      within: [1e-8, 100],
      how: (value) => ({ lr: value, shrink: (shrink / lr) * value }),
    },
    {
      what: 'the gradient times',
      used: times,
      within: [1e-6, 1e6],
      how: (value) => ({ times: value * Math.sign(times) }),
      says: (value) =>
        `the gradient that the step takes is ${shortNumber(value)} × the recorded one: clipped, scaled or averaged`,
    },
  ];
};

/** A setting between 0 and 1 that may be another: a beta, a momentum. Looked for up to `most`. */
export const share = <How>(
  what: string,
  used: number,
  how: Chosen<How>['how'],
  most = 1 - 1e-5,
): Chosen<How> => ({ what, used, within: [1e-3, most], share: true, how });
