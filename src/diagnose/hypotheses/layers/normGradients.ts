import { inputOf, settingOf, sourcesOf } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import type { Numbers } from '../../numbers.ts';
import { type Norm, normOf, type Statistics, statisticsOf } from '../../recompute/norm.ts';
import type { Evidence, Suspect } from '../../suspect.ts';
import { type Variant, variantFits } from '../../variants.ts';
import { blockOf, isSent, isValue } from './convolutions.ts';

/** What a norm's gradients are computed from, on our side. */
interface Back {
  readonly norm: Norm;
  readonly x: ArrayLike<number>;
  readonly dy: ArrayLike<number>;
  readonly scale?: ArrayLike<number>;
  readonly statistics: Statistics;
  readonly deviation: Float64Array;
}

function backOf(suspect: Suspect, evidence: Evidence): Back | undefined {
  const sources = sourcesOf(suspect, evidence);
  const sent = sources.filter(isSent);
  const input = suspect.kind === 'output gradient' ? inputOf(suspect, evidence) : undefined;
  const [x, dy] = [input ?? sources.find(isValue), sent[0]].map((held) => blockOf(held, evidence));
  const eps = settingOf(suspect, 'eps');
  const norm = x && normOf(suspect.what, x.shape);
  if (norm === undefined || x === undefined || dy === undefined || eps === undefined)
    return undefined;
  if (sent.length !== 1 || x.data.length !== dy.data.length) return undefined;
  const values = Float64Array.from(x.data);
  const statistics = statisticsOf(norm, values, norm.centred);
  const scale = blockOf(
    sources.find(({ name, kind }) => kind === 'weight' && name.endsWith('weight')),
    evidence,
  );
  return {
    norm,
    x: values,
    dy: dy.data,
    ...(scale && { scale: scale.data }),
    statistics,
    deviation: statistics.variance.map((v) => Math.sqrt(v + eps)),
  };
}

/** Means over each group of what an element gives. */
function groupMeans({ group, groups, count }: Norm, of: (at: number) => number): Float64Array {
  const means = new Float64Array(groups);
  for (let at = 0; at < group.length; at++) means[group[at]] += of(at) / count;
  return means;
}

/** dx = (g − mean(g) − x̂ · mean(g · x̂)) / σ, where g = γ · dy and x̂ = (x − μ) / σ. */
function inputVariants({ norm, x, dy, scale, statistics: { mean }, deviation }: Back) {
  const { group, place, centred } = norm;
  const sent = (at: number): number => dy[at] * (scale?.[place[at]] ?? 1);
  const hat = (at: number): number => (x[at] - mean[group[at]]) / deviation[group[at]];
  const average = groupMeans(norm, sent);
  const along = groupMeans(norm, (at) => sent(at) * hat(at));
  const dx =
    ({ byMean = centred, byVariance = true, divided = true } = {}) =>
    (at: number): number => {
      const k = group[at];
      const rest = (byMean ? average[k] : 0) + (byVariance ? hat(at) * along[k] : 0);
      return (sent(at) - rest) / (divided ? deviation[k] : 1);
    };
  const variants: Variant[] = [
    {
      key: 'norm constants back',
      says: 'the gradient takes the statistics for constants: the parts of mean and variance are missing',
      value: dx({ byMean: false, byVariance: false }),
    },
    {
      key: 'norm no variance back',
      says: "the variance's part of the gradient is missing",
      value: dx({ byVariance: false }),
    },
    {
      key: 'norm no mean back',
      says: "the mean's part of the gradient is missing",
      value: dx({ byMean: false }),
    },
    {
      key: 'norm undivided back',
      says: 'the gradient is not divided by the deviation',
      value: dx({ divided: false }),
    },
  ];
  return { right: dx(), variants };
}

/** dγ = Σ dy · x̂ over what an element of the weight scales. */
function weightVariants({ norm, x, dy, statistics: { mean }, deviation }: Back, size: number) {
  const { group, place } = norm;
  const summed = (of: (at: number) => number) => {
    const sums = new Float64Array(size);
    for (let at = 0; at < place.length; at++) sums[place[at]] += dy[at] * of(at);
    return (position: number): number => sums[position];
  };
  const variants: Variant[] = [
    {
      key: 'norm weight undivided',
      says: 'the gradient of its weight is not divided by the deviation',
      value: summed((at) => x[at] - mean[group[at]]),
    },
    {
      key: 'norm weight of input',
      says: 'the gradient of its weight is taken of the input, not of what is normalised',
      value: summed((at) => x[at]),
    },
    {
      key: 'norm weight not centred',
      says: "the mean is not taken away in its weight's gradient",
      value: summed((at) => x[at] / deviation[group[at]]),
    },
  ];
  return { right: summed((at) => (x[at] - mean[group[at]]) / deviation[group[at]]), variants };
}

/** By the statistics of the input: what evaluation sends back is another computation. */
function fits(numbers: Numbers, suspect: Suspect, evidence: Evidence): Fit[] {
  const isWeight = suspect.kind === 'weight gradient' && suspect.name.endsWith('weight.grad');
  if (suspect.kind !== 'output gradient' && !isWeight) return [];
  const back = backOf(suspect, evidence);
  if (back === undefined) return [];
  const { right, variants } = isWeight
    ? weightVariants(back, numbers.whole.length)
    : inputVariants(back);
  return variantFits(numbers, right, variants);
}

/** What a norm sends back otherwise than the reference's. */
export const normGradientHypotheses: readonly Hypothesis[] = [
  {
    name: "norm's gradient",
    about:
      'a part of the gradient through a norm left out: of its mean, its variance, its deviation',
    fits,
  },
];
