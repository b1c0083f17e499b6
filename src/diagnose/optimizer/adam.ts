import {
  type Common,
  commonChosen,
  commonOf,
  commonVariants,
  each,
  moved,
  numberOf,
  type Rule,
  type Settings,
  share,
  taken,
  type Variant,
} from './rule.ts';

interface Adam extends Common {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly epsAt: 'outside the root' | 'inside the root' | 'before the correction';
  /** Which of the two means are corrected for having begun at zero. */
  readonly corrects: 'both' | 'mean' | 'square' | 'neither';
  /** The betas of the correction, where they are others than the means'. */
  readonly correctedBy?: readonly [number, number];
  /** By the step counted so many from the real one. */
  readonly late: number;
  readonly amsgrad: boolean;
  /** What both means are rounded to. */
  readonly kept: (x: number) => number;
}

const [mean, square, largest] = ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'];

/** To so many bits of a float32's 24, ties to even. */
function roundedTo(bits: number): (x: number) => number {
  const float = new Float32Array(1);
  const pattern = new Uint32Array(float.buffer);
  const cut = 24 - bits;
  return (x) => {
    float[0] = x;
    pattern[0] += 2 ** (cut - 1) - 1 + ((pattern[0] >>> cut) & 1);
    pattern[0] = (pattern[0] >>> cut) << cut;
    return float[0];
  };
}

const same = (x: number): number => x;

const pairOf = ({ betas }: Settings): readonly [number, number] =>
  Array.isArray(betas) ? [Number(betas[0]), Number(betas[1])] : [0.9, 0.999];

/**
 * torch.optim.Adam: m ← β₁m + (1 − β₁)d, v ← β₂v + (1 − β₂)d², w ← w − lr m̂ / (√v̂ + ε), where m̂ = m / (1 − β₁ᵗ) and
 * v̂ = v / (1 − β₂ᵗ); d = g + λw, or of AdamW d = g and w shrinks by lr λ first.
 */
const adamWith = (decoupled: boolean): Rule<Adam> => ({
  slots: ({ amsgrad }) => [mean, square, ...(amsgrad ? [largest] : [])],
  right(settings) {
    const [beta1, beta2] = pairOf(settings);
    return {
      ...commonOf(settings, decoupled || settings.decoupled_weight_decay === true),
      beta1,
      beta2,
      eps: numberOf(settings, 'eps') ?? 1e-8,
      epsAt: 'outside the root',
      corrects: 'both',
      late: 0,
      amsgrad: settings.amsgrad === true,
      kept: same,
    };
  },
  step(how, state, gradient, t) {
    const { lr, decay, shrink, times, beta1, beta2, eps, corrects, kept } = how;
    const { weight: w } = state;
    const zero = new Float64Array(w.length);
    const { [mean]: m = zero, [square]: v = zero, [largest]: most = zero } = state;
    const { g, kept: sum } = taken(how.accumulates, state, gradient);
    const d = each(w.length, (i) => times * g[i] + decay * w[i]);
    const nextMean = each(w.length, (i) => kept(beta1 * m[i] + (1 - beta1) * d[i]));
    const nextSquare = each(w.length, (i) => kept(beta2 * v[i] + (1 - beta2) * d[i] * d[i]));
    const nextMost = each(w.length, (i) => Math.max(most[i], nextSquare[i]));
    const at = t + how.late;
    const [by1, by2] = how.correctedBy ?? [beta1, beta2];
    const ofMean = corrects === 'both' || corrects === 'mean' ? 1 - by1 ** at : 1;
    const ofSquare = corrects === 'both' || corrects === 'square' ? 1 - by2 ** at : 1;
    const over = how.amsgrad ? nextMost : nextSquare;
    const roots: { readonly [E in Adam['epsAt']]: (x: number) => number } = {
      'outside the root': (x) => Math.sqrt(x / ofSquare) + eps,
      'inside the root': (x) => Math.sqrt(x / ofSquare + eps),
      'before the correction': (x) => (Math.sqrt(x) + eps) / Math.sqrt(ofSquare),
    };
    const root = roots[how.epsAt];
    const weight = each(
      w.length,
      (i) => w[i] * (1 - shrink) - ((lr / ofMean) * nextMean[i]) / root(over[i]),
    );
    return moved(how, state, {
      weight,
      [mean]: nextMean,
      [square]: nextSquare,
      [largest]: nextMost,
      ...sum,
    });
  },
  variants: (right) => [...commonVariants(right), ...adamVariants(right)],
  chosen: (right) => [
    ...commonChosen(right),
    share<Adam>('beta1', right.beta1, (beta1) => ({ beta1 }), 1 - 1e-6),
    share<Adam>('beta2', right.beta2, (beta2) => ({ beta2 }), 1 - 1e-6),
    { what: 'eps', used: right.eps, within: [1e-12, 1], how: (eps) => ({ eps }) },
  ],
});

const adamVariants = ({ beta1, beta2, amsgrad }: Adam): Variant<Adam>[] => [
  {
    key: 'eps inside',
    says: 'eps stands inside the root, the reference adds it to the root',
    how: { epsAt: 'inside the root' },
  },
  {
    key: 'eps before the correction',
    says: 'eps is added before the bias correction, the reference adds it after',
    how: { epsAt: 'before the correction' },
  },
  {
    key: 'no correction',
    says: 'the bias correction is missing',
    how: { corrects: 'neither' },
  },
  {
    key: 'no correction of the square',
    says: 'the bias correction of the squares is missing',
    how: { corrects: 'mean' },
  },
  {
    key: 'no correction of the mean',
    says: 'the bias correction of the mean is missing',
    how: { corrects: 'square' },
  },
  {
    key: 'correction late',
    says: 'the bias correction is that of the next step: steps are counted one too far',
    how: { late: 1 },
  },
  {
    key: 'correction early',
    says: 'the bias correction is that of the step before: steps are counted one too few',
    how: { late: -1 },
  },
  {
    key: 'betas swapped',
    says: `the two betas are swapped: (${beta2}, ${beta1})`,
    how: { beta1: beta2, beta2: beta1 },
  },
  {
    key: 'betas swapped',
    says: `the two betas are swapped in the means, (${beta2}, ${beta1}), and not in the bias correction`,
    how: { beta1: beta2, beta2: beta1, correctedBy: [beta1, beta2] },
  },
  amsgrad
    ? { key: 'no amsgrad', says: 'amsgrad is left out', how: { amsgrad: false } }
    : { key: 'amsgrad', says: 'amsgrad is on: the largest square so far', how: { amsgrad: true } },
  {
    key: 'moments in bfloat16',
    says: 'its moments are kept in bfloat16',
    how: { kept: roundedTo(8) },
  },
  {
    key: 'moments in float16',
    says: 'its moments are rounded to the 11 bits of float16 or TF32',
    how: { kept: roundedTo(11) },
  },
];

export const adam = adamWith(false);
export const adamw = adamWith(true);
