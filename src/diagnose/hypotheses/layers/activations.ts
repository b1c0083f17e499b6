import { sameShape } from '../../../tensor/shape.ts';
import {
  distanceOf,
  explains,
  inputOf,
  leftToOurs,
  oursOf,
  picked,
  sourcesOf,
  valuesAt,
  wholeOf,
} from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { leftOf, type Numbers } from '../../numbers.ts';
import { functions, slopeOf, softmax, softmaxBack } from '../../recompute/functions.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';

/** So few numbers come out of another function by chance. */
const fewest = 4;

const isValue = ({ kind }: Held): boolean =>
  kind === undefined || kind === 'output' || kind === 'prediction';

/** A function's result on our side and in the reference, element by element. */
interface Computed {
  readonly name: string;
  readonly ours: (i: number) => number;
  readonly truth: (i: number) => number;
}

/** The same words for a layer's forward and its backward: it is one mistake. */
function insteadOf(name: string, right: string): Pick<Fit, 'key' | 'says'> {
  const key = `${name} for ${right}`;
  if (name === nothing)
    return { key, says: `the activation is missing: the reference's is ${right}` };
  if (right === nothing)
    return { key, says: `${name} is applied, the reference has no activation` };
  return { key, says: `${name} is computed, the reference's is ${right}` };
}

const nothing = 'nothing';

/** Which of these the reference computes, and which others ours. Nothing where ours is right for its own sources. */
function others(numbers: Numbers, table: readonly Computed[]): Fit[] {
  const right = table.find(({ truth }) => leftOf(numbers, truth) <= numbers.limit);
  if (right === undefined || leftToOurs(numbers, right.ours) <= numbers.limit) return [];
  const distance = distanceOf(numbers);
  return table.flatMap((other): Fit[] => {
    if (other === right) return [];
    const left = leftToOurs(numbers, other.ours);
    if (!explains(numbers, left, distance)) return [];
    return [{ ...insteadOf(other.name, right.name), left, freedom: 0, recomputed: true }];
  });
}

/** What a tensor of the suspect's shape holds at its places, on our side and in the reference. */
interface Source {
  readonly ours: Float64Array;
  readonly truth: Float64Array;
}

/** Our own where it was recorded: what went wrong before is not this layer's mistake. */
function sourceAt(numbers: Numbers, evidence: Evidence, held: Held): Source | undefined {
  const truth = valuesAt(numbers, held);
  if (truth === undefined) return undefined;
  const own = oursOf(evidence, held);
  return { ours: own === undefined ? truth : picked(own, numbers.at), truth };
}

const elementwise = ({ ours, truth }: Source): Computed[] =>
  Object.entries(functions).map(([name, f]) => ({
    name,
    ours: (i) => f(ours[i]),
    truth: (i) => f(truth[i]),
  }));

const passing = (name: string, sent: Source, at: Source, slope: (x: number) => number) => ({
  name,
  ours: (i: number) => sent.ours[i] * slope(at.ours[i]),
  truth: (i: number) => sent.truth[i] * slope(at.truth[i]),
});

const backwards = (sent: Source, at: Source): Computed[] => [
  ...Object.entries(functions).map(([name, f]) => passing(name, sent, at, (x) => slopeOf(f, x))),
  passing('ReLU that lets the gradient pass where its input is 0', sent, at, (x) =>
    x >= 0 ? 1 : 0,
  ),
];

/** Computed when it is first asked for. */
function lazily(make: () => Float64Array): (position: number) => number {
  let made: Float64Array | undefined;
  return (position) => {
    made ??= make();
    return made[position];
  };
}

interface Along {
  readonly name: string;
  readonly of: (values: Float64Array) => Float64Array;
  /** By the gradient that is sent back to the result of `values`. */
  readonly back: (values: Float64Array, sent: Float64Array) => Float64Array;
}

/** Softmax and its logarithm along every axis, the last first. */
function softmaxesOf(shape: readonly number[]): Along[] {
  const rank = shape.length;
  return Array.from(shape.keys(), (k) => rank - 1 - k).flatMap((axis) => {
    const along = axis === rank - 1 ? '' : ` along axis ${axis}`;
    return [false, true].map((log) => ({
      name: `${log ? 'log-softmax' : 'softmax'}${along}`,
      of: (values: Float64Array) => softmax(values, shape, axis, log),
      back: (values: Float64Array, sent: Float64Array) =>
        softmaxBack(softmax(values, shape, axis, log), sent, shape, axis, log),
    }));
  });
}

/** A tensor of the suspect's shape whole, on our side and in the reference. */
function wholeAt({ shape }: Numbers, evidence: Evidence, held: Held): Source | undefined {
  const truth = wholeOf(held);
  if (truth === undefined || !sameShape(held.shape, shape)) return undefined;
  return { ours: oursOf(evidence, held) ?? truth, truth };
}

function alongAxes(
  { at, shape }: Numbers,
  results: (along: Along) => { ours: () => Float64Array; truth: () => Float64Array },
): Computed[] {
  return softmaxesOf(shape).map((along) => {
    const { ours, truth } = results(along);
    const [own, right] = [lazily(ours), lazily(truth)];
    return { name: along.name, ours: (i) => own(at[i]), truth: (i) => right(at[i]) };
  });
}

const softmaxes = (numbers: Numbers, { ours, truth }: Source): Computed[] =>
  alongAxes(numbers, ({ of }) => ({ ours: () => of(ours), truth: () => of(truth) }));

const softmaxesBack = (numbers: Numbers, sent: Source, at: Source): Computed[] =>
  alongAxes(numbers, ({ back }) => ({
    ours: () => back(at.ours, sent.ours),
    truth: () => back(at.truth, sent.truth),
  }));

/** By the input that the reference holds. */
const ofSources = (numbers: Numbers, suspect: Suspect, evidence: Evidence): Fit[] =>
  sourcesOf(suspect, evidence).flatMap((held) => {
    const source = sourceAt(numbers, evidence, held);
    if (source === undefined) return [];
    const whole = wholeAt(numbers, evidence, held);
    return others(numbers, [
      ...elementwise(source),
      ...(whole === undefined ? [] : softmaxes(numbers, whole)),
    ]);
  });

/** Anything is a function of one number: the values must differ. */
const varied = (values: Float64Array): boolean => new Set(values.slice(0, 64)).size >= fewest;

/** Ours is an activation's result on the reference's value, or the reference's on ours. */
function ofEachOther(numbers: Numbers, suspect: Suspect): Fit[] {
  const { ours, truth, whole, at, shape } = numbers;
  if (!varied(truth) || !varied(ours)) return [];
  const distance = distanceOf(numbers);
  const tell = (left: number, name: string, added: boolean): Fit[] =>
    explains(numbers, left, distance)
      ? [
          {
            key: `${name} ${added ? 'added' : 'missing'}`,
            says: added
              ? `${name} of the reference's: applied once too often, or recorded after it`
              : `the reference's is ${name} of it: ${name} is missing, or it was recorded before it`,
            left,
            freedom: 0,
          },
        ]
      : [];
  const { [nothing]: _, ...named } = functions;
  const single = Object.entries(named).flatMap(([name, f]) => [
    ...tell(
      leftToOurs(numbers, (i) => f(truth[i])),
      name,
      true,
    ),
    ...tell(
      leftOf(numbers, (i) => f(ours[i])),
      name,
      false,
    ),
  ]);
  const right = wholeOf(suspect);
  const rows = softmaxesOf(shape).flatMap(({ name, of }) => {
    const mine = lazily(() => of(whole));
    const missing = tell(
      leftOf(numbers, (i) => mine(at[i])),
      name,
      false,
    );
    if (right === undefined) return missing;
    const more = lazily(() => of(right));
    return [
      ...missing,
      ...tell(
        leftToOurs(numbers, (i) => more(at[i])),
        name,
        true,
      ),
    ];
  });
  return [...single, ...rows];
}

const another: Hypothesis = {
  name: 'activation',
  about: 'another function than the reference computes of the same input: none, SiLU for GELU',
  fits(numbers, suspect, evidence) {
    if (!isValue(suspect) || numbers.truth.length < fewest) return [];
    const found = ofSources(numbers, suspect, evidence);
    const known = found.some(({ left }) => left <= numbers.limit);
    return known ? found : [...found, ...ofEachOther(numbers, suspect)];
  },
};

const anothersGradient: Hypothesis = {
  name: "activation's gradient",
  about: 'sent back through the derivative of another function',
  fits(numbers, suspect, evidence) {
    if (suspect.kind !== 'output gradient' || numbers.truth.length < fewest) return [];
    const input = inputOf(suspect, evidence);
    const sent = sourcesOf(suspect, evidence).filter(({ kind }) => kind === 'output gradient');
    // Where several layers send back, it is a sum.
    if (input === undefined || sent.length !== 1) return [];
    const [a, b] = [sent[0], input].map((held) => sourceAt(numbers, evidence, held));
    if (a === undefined || b === undefined) return [];
    const [c, d] = [sent[0], input].map((held) => wholeAt(numbers, evidence, held));
    return others(numbers, [
      ...backwards(a, b),
      ...(c === undefined || d === undefined ? [] : softmaxesBack(numbers, c, d)),
    ]);
  },
};

/** An activation that is not the reference's. */
export const activationHypotheses: readonly Hypothesis[] = [another, anothersGradient];
