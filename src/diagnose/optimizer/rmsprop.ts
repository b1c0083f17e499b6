import {
  type Common,
  commonChosen,
  commonOf,
  commonVariants,
  each,
  moved,
  numberOf,
  type Rule,
  share,
  taken,
} from './rule.ts';

interface RmsProp extends Common {
  readonly alpha: number;
  readonly eps: number;
  readonly insideRoot: boolean;
  readonly centered: boolean;
  readonly momentum: number;
}

const [square, average, velocity] = ['square_avg', 'grad_avg', 'momentum'];

/** torch.optim.RMSprop: s ← αs + (1 − α)d², v ← μv + d / (√s + ε), w ← w − lr v; centered: √(s − mean²). */
export const rmsprop: Rule<RmsProp> = {
  slots: ({ centered, momentum }) => [
    square,
    ...(centered ? [average] : []),
    ...(momentum === 0 ? [] : [velocity]),
  ],
  right: (settings) => ({
    ...commonOf(settings, false),
    alpha: numberOf(settings, 'alpha') ?? 0.99,
    eps: numberOf(settings, 'eps') ?? 1e-8,
    insideRoot: false,
    centered: settings.centered === true,
    momentum: numberOf(settings, 'momentum') ?? 0,
  }),
  step(how, state, gradient) {
    const { lr, decay, shrink, times, alpha, eps, insideRoot, centered, momentum } = how;
    const { weight: w } = state;
    const zero = new Float64Array(w.length);
    const { [square]: s = zero, [average]: a = zero, [velocity]: v = zero } = state;
    const { g, kept } = taken(how.accumulates, state, gradient);
    const d = each(w.length, (i) => times * g[i] + decay * w[i]);
    const squares = each(w.length, (i) => alpha * s[i] + (1 - alpha) * d[i] * d[i]);
    const means = each(w.length, (i) => alpha * a[i] + (1 - alpha) * d[i]);
    const root = (i: number): number => {
      const x = centered ? squares[i] - means[i] * means[i] : squares[i];
      return insideRoot ? Math.sqrt(x + eps) : Math.sqrt(x) + eps;
    };
    const next = each(w.length, (i) => momentum * v[i] + d[i] / root(i));
    const weight = each(w.length, (i) => w[i] * (1 - shrink) - lr * next[i]);
    return moved(how, state, {
      weight,
      [square]: squares,
      [average]: means,
      [velocity]: next,
      ...kept,
    });
  },
  variants: (right) => [
    ...commonVariants(right),
    {
      key: 'eps inside',
      says: "eps stands inside the root, as TensorFlow's: the reference adds it to the root",
      how: { insideRoot: true },
    },
    right.centered
      ? { key: 'not centered', says: 'it is not centered', how: { centered: false } }
      : {
          key: 'centered',
          says: 'it is centered: the square of the mean is taken away',
          how: { centered: true },
        },
    ...(right.momentum === 0
      ? []
      : [{ key: 'momentum missing', says: 'momentum is missing', how: { momentum: 0 } }]),
  ],
  chosen: (right) => [
    ...commonChosen(right),
    share<RmsProp>('alpha', right.alpha, (alpha) => ({ alpha }), 1 - 1e-6),
    share<RmsProp>('momentum', right.momentum, (momentum) => ({ momentum })),
    { what: 'eps', used: right.eps, within: [1e-12, 1], how: (eps) => ({ eps }) },
  ],
};
