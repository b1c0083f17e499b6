import { shortNumber } from '../../../shortNumber.ts';
import { sameShape } from '../../../tensor/shape.ts';
import {
  distanceOf,
  explains,
  leftToOurs,
  oursOf,
  settingOf,
  sourcesOf,
  wholeOf,
} from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { leftOf, type Numbers } from '../../numbers.ts';
import { type Norm, normOf, type Statistics, statisticsOf } from '../../recompute/norm.ts';
import { withinStep } from '../../stepName.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';

/** What a norm is computed from, on one side. */
interface Inputs {
  readonly x: Float64Array;
  readonly scale?: Float64Array;
  readonly bias?: Float64Array;
}

/** How it is computed. */
interface Way extends Statistics {
  /** Per group. */
  readonly deviation: Float64Array;
  readonly scaled: 0 | 1 | 2;
  readonly moved: boolean;
  /** Weight and bias in each other's place. */
  readonly swapped?: boolean;
}

/** The result at a flat position. */
const resultOf = ({ group, place }: Norm, { x, ...affine }: Inputs, way: Way) => {
  const [scale, bias] = way.swapped ? [affine.bias, affine.scale] : [affine.scale, affine.bias];
  return (at: number): number => {
    const factor = scale === undefined ? 1 : scale[place[at]] ** way.scaled;
    const plus = bias === undefined || !way.moved ? 0 : bias[place[at]];
    return ((x[at] - way.mean[group[at]]) / way.deviation[group[at]]) * factor + plus;
  };
};

const usual = (statistics: Statistics, eps: number): Way => ({
  ...statistics,
  deviation: statistics.variance.map((v) => Math.sqrt(v + eps)),
  scaled: 1,
  moved: true,
});

interface Sides {
  readonly ours: Inputs;
  readonly truth: Inputs;
}

/** The layer's input, scale and bias, where all of the input is held on a side. */
function sidesOf(suspect: Suspect, evidence: Evidence): Sides | undefined {
  const sources = sourcesOf(suspect, evidence);
  const input = sources.find(
    ({ kind, shape }) => kind !== 'weight' && kind !== 'buffer' && sameShape(shape, suspect.shape),
  );
  if (input === undefined) return undefined;
  const own = oursOf(evidence, input);
  const right = wholeOf(input) ?? own;
  if (right === undefined) return undefined;
  const parameter = (end: string): Held | undefined =>
    sources.find(({ name, kind }) => kind === 'weight' && name.endsWith(end));
  const [scale, bias] = [parameter('weight'), parameter('bias')];
  const inputs = (x: Float64Array, of: (held: Held) => Float64Array | undefined): Inputs => {
    const [s, b] = [scale && of(scale), bias && of(bias)];
    return { x, ...(s && { scale: s }), ...(b && { bias: b }) };
  };
  return {
    ours: inputs(own ?? right, (held) => oursOf(evidence, held) ?? wholeOf(held)),
    truth: inputs(right, wholeOf),
  };
}

/** Running statistics of a layer that a reference holds before a pass, and after it. */
interface Running extends Statistics {
  readonly when: 'before' | 'after';
  /** The same as our side kept them. */
  readonly own?: Statistics;
}

/** The steps from a pass back to the start, as their names begin: `step1/`, ``, `initial/`. */
function passesBack(when: string): string[] {
  const step = /^step(\d+)$/.exec(when);
  if (when !== '' && step === null) return [];
  const last = step === null ? 0 : Number(step[1]);
  const steps = Array.from({ length: last + 1 }, (_, k) => (k === last ? '' : `step${last - k}/`));
  return [...steps, 'initial/'];
}

function runningOf({ name, layer }: Suspect, evidence: Evidence): Running[] {
  if (layer === undefined) return [];
  const module = layer.replace(/@\d+$/, '');
  const [now, ...before] = passesBack(withinStep(name).when);
  const from = (prefix: string, when: Running['when']): Running[] => {
    const [first, second] = ['running_mean', 'running_var'].map((end) =>
      evidence.held(`${prefix}${module}.${end}`),
    );
    if (first === undefined || second === undefined) return [];
    const statistics = (of: (held: Held) => Float64Array | undefined): Statistics | undefined => {
      const [mean, variance] = [of(first), of(second)];
      return mean && variance ? { mean, variance } : undefined;
    };
    const [right, own] = [statistics(wholeOf), statistics((held) => oursOf(evidence, held))];
    return right === undefined ? [] : [{ ...right, when, ...(own && { own }) }];
  };
  if (now === undefined) return [];
  return [...from(now, 'after'), ...before.flatMap((prefix) => from(prefix, 'before')).slice(0, 1)];
}

interface Variant {
  readonly key: string;
  readonly says: string;
  readonly way: Way;
}

/** Other ways to compute it than the reference's `right`. */
function variantsOf(
  norm: Norm,
  { x }: Inputs,
  own: Statistics,
  running: readonly Running[],
  right: { readonly running: boolean; readonly eps: number },
): Variant[] {
  const { eps } = right;
  const { count, centred } = norm;
  const all = (statistics: Statistics): Way => usual(statistics, eps);
  const way = all(right.running ? (running[0].own ?? running[0]) : own);
  const swapped: Variant[] = right.running
    ? [
        {
          key: 'batch for running',
          says: "the batch's statistics are used, the reference uses the running ones",
          way: all(own),
        },
      ]
    : running.map((statistics) => ({
        key: 'running for batch',
        says: `running statistics${statistics.when === 'after' ? ', already of this batch,' : ''} are used, the reference uses the batch's`,
        way: all(statistics),
      }));
  return [
    ...swapped,
    {
      key: 'eps outside',
      says: 'epsilon is added to the deviation, the reference adds it to the variance',
      way: { ...way, deviation: way.variance.map((v) => Math.sqrt(v) + eps) },
    },
    {
      key: 'no eps',
      says: `epsilon is missing or far smaller, the reference used ${shortNumber(eps)}`,
      way: { ...way, deviation: way.variance.map((v) => Math.sqrt(v)) },
    },
    {
      key: 'unbiased',
      says: 'divided by the deviation of n − 1, the reference takes that of n',
      way: all({ mean: own.mean, variance: own.variance.map((v) => (v * count) / (count - 1)) }),
    },
    {
      key: centred ? 'not centred' : 'centred',
      says: centred
        ? 'the mean is not taken away: as RMSNorm does'
        : 'the mean is taken away, RMSNorm does not',
      way: all(statisticsOf(norm, x, !centred)),
    },
    {
      key: 'variance for deviation',
      says: 'divided by the variance, the reference divides by its root',
      way: { ...way, deviation: way.variance.map((v) => v + eps) },
    },
    {
      key: 'swapped',
      says: 'its weight and bias are swapped',
      way: { ...way, swapped: true },
    },
    { key: 'no scale', says: 'its weight is missing', way: { ...way, scaled: 0 } },
    { key: 'scale twice', says: 'its weight is applied twice', way: { ...way, scaled: 2 } },
    { key: 'no bias', says: 'its bias is missing', way: { ...way, moved: false } },
    {
      key: 'not affine',
      says: 'its weight and bias are missing',
      way: { ...way, scaled: 0, moved: false },
    },
  ];
}

/** A fitted number on fewer elements is no proof. */
const fewestFitted = 16;

/** The epsilon that fits ours, by every group's own factor; groups in which it counts for more count more. */
function epsilonOf(numbers: Numbers, norm: Norm, { x, scale, bias }: Inputs, way: Way): number {
  const { at, ours } = numbers;
  const [cross, square] = [new Float64Array(norm.groups), new Float64Array(norm.groups)];
  for (let i = 0; i < at.length; i++) {
    const [group, place] = [norm.group[at[i]], norm.place[at[i]]];
    const plain = (x[at[i]] - way.mean[group]) * (scale?.[place] ?? 1);
    cross[group] += (ours[i] - (bias?.[place] ?? 0)) * plain;
    square[group] += plain * plain;
  }
  let [sum, weights] = [0, 0];
  for (let k = 0; k < norm.groups; k++) {
    if (square[k] === 0) continue;
    const weight = square[k] / way.deviation[k] ** 6;
    sum += weight * ((square[k] / cross[k]) ** 2 - way.variance[k]);
    weights += weight;
  }
  return sum / weights;
}

/** Each group's own deviation, in the least squares. */
function deviationsOf(numbers: Numbers, norm: Norm, { x, scale, bias }: Inputs, way: Way) {
  const { at, ours } = numbers;
  const [cross, square] = [new Float64Array(norm.groups), new Float64Array(norm.groups)];
  for (let i = 0; i < at.length; i++) {
    const [group, place] = [norm.group[at[i]], norm.place[at[i]]];
    const plain = (x[at[i]] - way.mean[group]) * (scale?.[place] ?? 1);
    cross[group] += (ours[i] - (bias?.[place] ?? 0)) * plain;
    square[group] += plain * plain;
  }
  return square.map((s, k) => (cross[k] === 0 ? way.deviation[k] : s / cross[k]));
}

/** Of float32: what of E[x²] is rounded away, give or take the order in which it is summed. */
const roundedAway = 2 ** -24 * 64;

/**
 * Whether every group's variance is off by no more than rounding takes from E[x²] − E[x]², and some by far more than from
 * the mean of (x − μ)².
 */
function cancels({ variance, mean }: Way, solved: Float64Array, eps: number): boolean {
  const off = solved.map((deviation, k) => Math.abs(deviation ** 2 - eps - variance[k]));
  return (
    off.every((error, k) => error <= roundedAway * (mean[k] ** 2 + variance[k])) &&
    off.some((error, k) => error > roundedAway * variance[k])
  );
}

/** As few digits as explain as much. */
function rounded(value: number, left: (value: number) => number, limit: number): number {
  for (const digits of [1, 2, 3]) {
    const short = Number(value.toPrecision(digits));
    if (left(short) <= limit) return short;
  }
  return value;
}

const outputs: Hypothesis = {
  name: 'norm',
  about: 'a norm with another epsilon, other statistics, or without its weight or bias',
  fits(numbers, suspect, evidence) {
    if (suspect.kind !== 'output' && suspect.kind !== 'prediction') return [];
    const norm = normOf(suspect.what, suspect.shape);
    const eps = settingOf(suspect, 'eps');
    const sides = norm && sidesOf(suspect, evidence);
    if (norm === undefined || eps === undefined || sides === undefined) return [];
    const { at, limit } = numbers;
    const { ours, truth } = sides;
    const running = /^(Sync)?Batch/.test(suspect.what!) ? runningOf(suspect, evidence) : [];
    const right = statisticsOf(norm, truth.x, norm.centred);
    const distance = distanceOf(numbers);
    /** How well statistics give the truth, where they do: it is computed by one of them. */
    const leftToTruth = (statistics: Statistics): number => {
      const result = resultOf(norm, truth, usual(statistics, eps));
      const left = leftOf(numbers, (i) => result(at[i]));
      return left <= limit || explains(numbers, left, distance) ? left : Number.POSITIVE_INFINITY;
    };
    const byBatch = leftToTruth(right);
    const kept = running.find((statistics) => leftToTruth(statistics) < byBatch);
    if (byBatch === Number.POSITIVE_INFINITY && kept === undefined) return [];
    const own = statisticsOf(norm, ours.x, norm.centred);
    const usedStatistics = kept?.own ?? kept ?? own;
    const leftBy = (way: Way): number => {
      const result = resultOf(norm, ours, way);
      return leftToOurs(numbers, (i) => result(at[i]));
    };
    const leftByRight = leftBy(usual(usedStatistics, eps));
    if (leftByRight <= limit) {
      const says = "computed rightly from running statistics that are not the reference's";
      return kept?.own !== undefined && explains(numbers, leftByRight, distance)
        ? [{ key: 'norm other running', says, left: leftByRight, freedom: 0 }]
        : [];
    }
    const accept = (told: Omit<Fit, 'left'>, way: Way): Fit[] => {
      const left = leftBy(way);
      return explains(numbers, left, distance) ? [{ ...told, left, recomputed: true }] : [];
    };
    const variants = variantsOf(norm, ours, own, kept === undefined ? running : [kept], {
      running: kept !== undefined,
      eps,
    }).flatMap(({ key, says, way }) => accept({ key: `norm ${key}`, says, freedom: 0 }, way));
    if (at.length < fewestFitted || variants.some(({ left }) => left <= limit)) return variants;
    const deviation = deviationsOf(numbers, norm, ours, usual(usedStatistics, eps));
    if (kept === undefined && cancels(usual(usedStatistics, eps), deviation, eps)) {
      const says =
        'the variance is E[x²] − E[x]², of which rounding leaves little where the mean is large';
      const way = { ...usual(usedStatistics, eps), deviation };
      return accept({ key: 'norm cancels', says, freedom: 1 }, way);
    }
    const solved = epsilonOf(numbers, norm, ours, usual(usedStatistics, eps));
    if (!(solved > 0)) return variants;
    const fitted = rounded(solved, (value) => leftBy(usual(usedStatistics, value)), limit);
    const says = `fits epsilon ${shortNumber(fitted)}, the reference used ${shortNumber(eps)}`;
    return [
      ...variants,
      ...accept(
        { key: `norm eps ${fitted.toPrecision(2)}`, says, freedom: 1 },
        usual(usedStatistics, fitted),
      ),
    ];
  },
};

/** What a norm's output is not the reference's by. */
export const normHypotheses: readonly Hypothesis[] = [outputs];
