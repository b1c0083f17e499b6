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

interface Sgd extends Common {
  readonly momentum: number;
  readonly dampening: number;
  /** PyTorch does not dampen the first gradient. */
  readonly dampensFirst: boolean;
  /** What moves the weight. */
  readonly moves: 'velocity' | 'nesterov' | 'ahead of the velocity' | 'old velocity' | 'gradient';
  /** Whether the learning rate is in the velocity, as Sutskever's. */
  readonly rateInside: boolean;
}

const slot = 'momentum';

/** torch.optim.SGD: d = g + λw, v ← μv + (1 − dampening) d, w ← w − lr v; Nesterov's w ← w − lr (d + μv). */
export const sgd: Rule<Sgd> = {
  slots: ({ momentum }) => (momentum === 0 ? [] : [slot]),
  right: (settings) => ({
    ...commonOf(settings, false),
    momentum: numberOf(settings, 'momentum') ?? 0,
    dampening: numberOf(settings, 'dampening') ?? 0,
    dampensFirst: false,
    moves: settings.nesterov === true ? 'nesterov' : 'velocity',
    rateInside: false,
  }),
  step(how, state, gradient, t) {
    const { lr, momentum: mu, decay, shrink, times, moves, rateInside } = how;
    const { weight: w, [slot]: v = new Float64Array(w.length) } = state;
    const { g, kept } = taken(how.accumulates, state, gradient);
    const d = each(w.length, (i) => times * g[i] + decay * w[i]);
    const dampened = t === 1 && !how.dampensFirst ? 0 : how.dampening;
    const into = (1 - dampened) * (rateInside ? lr : 1);
    const next = each(w.length, (i) => mu * v[i] + into * d[i]);
    const direction: { readonly [M in Sgd['moves']]: (i: number) => number } = {
      velocity: (i) => next[i],
      nesterov: (i) => d[i] * (rateInside ? lr : 1) + mu * next[i],
      'ahead of the velocity': (i) => next[i] + mu * next[i],
      'old velocity': (i) => v[i],
      gradient: (i) => d[i],
    };
    const by = direction[moves];
    const rate = rateInside ? 1 : lr;
    const weight = each(w.length, (i) => w[i] * (1 - shrink) - rate * by(i));
    return moved(how, state, { weight, [slot]: next, ...kept });
  },
  variants(right) {
    const { momentum, moves } = right;
    const common = commonVariants(right);
    if (momentum === 0) return common;
    return [
      ...common,
      {
        key: 'momentum missing',
        says: 'momentum is missing: the velocity is the gradient of this step alone',
        how: { momentum: 0 },
      },
      {
        key: 'gradient for velocity',
        says: 'moved by the gradient alone, without momentum: the velocity is kept and not used',
        how: { moves: 'gradient' },
      },
      moves === 'nesterov'
        ? {
            key: 'no nesterov',
            says: "a step of plain momentum, the reference's is Nesterov's",
            how: { moves: 'velocity' },
          }
        : {
            key: 'nesterov',
            says: "a step of Nesterov's momentum, the reference's is plain",
            how: { moves: 'nesterov' },
          },
      {
        key: 'ahead of the velocity',
        says: "Nesterov's look ahead is added to the new momentum, not to the gradient",
        how: { moves: 'ahead of the velocity' },
      },
      {
        key: 'old velocity',
        says: 'moved by the momentum of before the step, not by the new one',
        how: { moves: 'old velocity' },
      },
      {
        key: 'dampening',
        says: 'the gradient counts 1 − momentum times: it is dampened, or averaged',
        how: { dampening: momentum },
      },
      {
        key: 'dampening',
        says: 'the gradient counts 1 − momentum times, in the first step too: it is dampened, or averaged',
        how: { dampening: momentum, dampensFirst: true },
      },
      ...(right.dampening === 0
        ? []
        : [
            {
              key: 'no dampening',
              says: `dampening is missing, the reference's is ${right.dampening}`,
              how: { dampening: 0 },
            },
          ]),
      {
        key: 'rate in velocity',
        says: 'the momentum holds the learning rate: the gradient is multiplied by it on its way in',
        how: { rateInside: true },
      },
    ];
  },
  chosen: (right) => [
    ...commonChosen(right),
    share<Sgd>('momentum', right.momentum, (momentum) => ({ momentum })),
    ...(right.momentum === 0
      ? []
      : [share<Sgd>('dampening', right.dampening, (dampening) => ({ dampening }))]),
  ],
};
