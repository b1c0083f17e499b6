import { shortNumber } from '../../../shortNumber.ts';
import type { Shape } from '../../../tensor/shape.ts';
import { sameShape } from '../../../tensor/shape.ts';
import { toFloat64 } from '../../../tensor/tensor.ts';
import { oursOf, sourcesOf, valuesAt, wholeOf } from '../../around.ts';
import type { Hypothesis } from '../../hypothesis.ts';
import type { Numbers } from '../../numbers.ts';
import { withinStep } from '../../stepName.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';
import { type Term, termFits } from '../../term.ts';
import { type Variant, variantFits } from '../../variants.ts';

type TermsOf = (numbers: Numbers, suspect: Suspect, evidence: Evidence) => readonly Term[];

/** Missing and twice, of what should be there once. */
const once = (what: string, missing: string, twice: string): Term['known'] => [
  { by: -1, key: `${what} missing`, says: missing },
  { by: 1, key: `${what} twice`, says: twice },
];

/** A vector along an axis of a larger shape, at the given flat positions. */
function alongAxis(vector: Float64Array, shape: Shape, axis: number, at: Int32Array): Float64Array {
  const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return Float64Array.from(at, (position) => vector[Math.floor(position / stride) % shape[axis]]);
}

/** Where a layer's channels may lie: the second axis, or the last. */
const channelAxes = (shape: Shape): number[] => [
  ...new Set([Math.min(1, shape.length - 1), shape.length - 1]),
];

const isBias = ({ name, kind, shape }: Held): boolean =>
  kind === 'weight' && shape.length === 1 && !/(^|[._])weight$/.test(name);

const biases: TermsOf = ({ at, shape }, suspect, evidence) =>
  shape.length < 2
    ? []
    : sourcesOf(suspect, evidence)
        .filter(isBias)
        .flatMap((bias) => {
          const vector = toFloat64(bias.record.truth);
          return channelAxes(shape)
            .filter((axis) => shape[axis] === vector.length)
            .map((axis) => ({
              values: alongAxis(vector, shape, axis, at),
              known: once('bias', 'its bias is missing', 'its bias is added twice'),
            }));
        });

/** The terms of a sum: of what an addition adds, and of what several layers send back to one. */
const addends: TermsOf = (numbers, suspect, evidence) =>
  sourcesOf(suspect, evidence).flatMap((held): Term[] => {
    const values = valuesAt(numbers, held);
    const back = suspect.kind === 'output gradient';
    const fits = back ? held.kind === 'output gradient' : held.kind !== 'weight';
    if (values === undefined || !fits) return [];
    const { bare } = withinStep(held.name);
    const it = back ? `what comes back by ${bare}` : `the term ${bare}`;
    const part = back ? 'part of a gradient' : 'term';
    return [
      {
        values,
        known: once(part, `${it} is missing: a shortcut's`, `${it} is added twice`),
        fitted: (by) => ({
          key: `${part} ${(1 + by).toPrecision(3)}`,
          says: `${it} counts ${shortNumber(1 + by)} times, not once`,
        }),
      },
    ];
  });

/** A sum of tensors of one shape, each on our side. */
function addendsOf(suspect: Suspect, evidence: Evidence): { held: Held; ours: Float64Array }[] {
  const sources = sourcesOf(suspect, evidence).filter(
    (held) => held.kind !== 'weight' && sameShape(held.shape, suspect.shape),
  );
  return sources.flatMap((held) => {
    const ours = oursOf(evidence, held) ?? wholeOf(held);
    return ours === undefined ? [] : [{ held, ours }];
  });
}

const shortcuts = 'a shortcut that was changed in place, or taken elsewhere';

/** A sum in which one term has gone through a function, or another tensor stands in its place. */
const otherTerm: Hypothesis = {
  name: 'other term',
  about: 'a term of a sum behind an activation, or another tensor in its place',
  fits(numbers, suspect, evidence) {
    const terms = suspect.kind === 'output' ? addendsOf(suspect, evidence) : [];
    if (terms.length !== 2) return [];
    const [a, b] = terms.map(({ ours }) => ours);
    const rectified = terms.map(({ held, ours }, k): Variant => {
      const { bare } = withinStep(held.name);
      const rest = terms[1 - k].ours;
      return {
        key: `rectified ${bare}`,
        says: `ReLU is applied to the term ${bare}: ${shortcuts}`,
        value: (at) => rest[at] + Math.max(ours[at], 0),
      };
    });
    const replaced = evidence.alike(suspect.shape).flatMap((other): Variant[] => {
      const values = oursOf(evidence, other);
      if (values === undefined || other.kind !== 'output' || other.name === suspect.name) return [];
      return terms.map(({ held }, k) => {
        const [name, right] = [other, held].map((of) => withinStep(of.name).bare);
        const rest = terms[1 - k].ours;
        return {
          key: `${name} for the term ${right}`,
          says: `${name} is added in the place of ${right}: ${shortcuts}`,
          value: (at) => rest[at] + values[at],
        };
      });
    });
    return variantFits(numbers, (at) => a[at] + b[at], [...rectified, ...replaced]);
  },
};

/** Fewer numbers may be the sum of two others by chance: a reference holds thousands. */
const fewestOfAny = 16;

/** Anything else that this pass computes in the same shape. */
const strangers: TermsOf = (numbers, suspect, evidence) => {
  if (numbers.truth.length < fewestOfAny) return [];
  const { when } = withinStep(suspect.name);
  const sources = new Set(evidence.from(suspect.name));
  return evidence.alike(suspect.shape).flatMap((held): Term[] => {
    if (held.name === suspect.name || sources.has(held.name) || held.kind !== suspect.kind)
      return [];
    if (withinStep(held.name).when !== when) return [];
    const values = valuesAt(numbers, held);
    const { bare } = withinStep(held.name);
    return values === undefined
      ? []
      : [
          {
            values,
            known: [
              {
                by: -1,
                key: `without ${bare}`,
                says: `${bare} is taken away from it, or missing in it`,
              },
              {
                by: 1,
                key: `with ${bare}`,
                says: `${bare} is added to it, which the reference does not do`,
              },
            ],
          },
        ];
  });
};

const row = (
  name: string,
  about: string,
  kinds: readonly Suspect['kind'][],
  of: TermsOf,
): Hypothesis => ({
  name,
  about,
  fits: (numbers, suspect, evidence) =>
    kinds.includes(suspect.kind) ? termFits(numbers, of(numbers, suspect, evidence)) : [],
});

const values = ['output', 'prediction', undefined] as const;

/** What is missing, or there twice. */
export const termHypotheses: readonly Hypothesis[] = [
  row('bias', 'a bias that is missing or added twice', values, biases),
  row(
    'term',
    "a term of a sum that is missing or added twice: a shortcut's",
    [...values, 'output gradient'],
    addends,
  ),
  otherTerm,
];

/** What is there and should not be. */
export const strangerHypotheses: readonly Hypothesis[] = [
  row(
    'another term',
    "another tensor's values added or taken away",
    [...values, 'output gradient'],
    strangers,
  ),
];
