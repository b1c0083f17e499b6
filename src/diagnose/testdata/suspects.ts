import type { Verdict } from '../../align/judge/verdict.ts';
import { samplePositions } from '../../align/reference/samplePositions.ts';
import type { Shape } from '../../tensor/shape.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { diagnosed } from '../diagnose.ts';
import type { Evidence, Held, Suspect } from '../suspect.ts';

/** Numbers of a normal-like spread, the same for the same seed. */
export function numbersFrom(seed: number, size: number): Float64Array {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float64Array.from({ length: size }, () => next() + next() + next() - 1.5);
}

const float64 = (shape: Shape, data: Float64Array): Tensor => tensor('float64', shape, data);

/** What a reference holds of a tensor: whole, or `sample` elements. */
export function heldOf(
  name: string,
  shape: Shape,
  truth: Float64Array,
  more: Partial<Held> & { readonly sample?: number } = {},
): Held {
  const { sample, ...rest } = more;
  const at = sample === undefined ? undefined : samplePositions(truth.length, sample);
  const known =
    at === undefined
      ? float64(shape, truth)
      : float64(
          [at.length],
          Float64Array.from(at, (i) => truth[i]),
        );
  const moments = { sum: 0, sumOfSquares: 0, min: 0, max: 0 };
  return {
    name,
    shape,
    record: { pytorch: known, truth: known, ...(at && { moments }) },
    ...rest,
  };
}

export const suspectOf = (held: Held, ours: Float64Array, shape: Shape = held.shape): Suspect => ({
  ...held,
  ours: float64(shape, ours),
  limit: 1e-6,
});

export const evidenceOf = (all: readonly Held[], more: Partial<Evidence> = {}): Evidence => ({
  held: (name) => all.find((h) => h.name === name),
  alike: (shape) =>
    all.filter((h) => sizeOf(h.shape) === sizeOf(shape) && h.shape.join() === shape.join()),
  ours: () => undefined,
  from: () => [],
  ...more,
});

const failing = (name: string): Verdict => ({
  name,
  checks: [{ method: 'relative l2', value: 1, threshold: 1e-6, passed: false }],
});

/** The verdicts on failing suspects, by name. */
export function verdictsOn(
  suspects: readonly Suspect[],
  evidence: Evidence = evidenceOf([]),
): ReadonlyMap<string, Verdict> {
  const byName = new Map(suspects.map((s) => [s.name, s]));
  const verdicts = diagnosed(
    suspects.map(({ name }) => failing(name)),
    ({ name }) => byName.get(name),
    evidence,
  );
  return new Map(verdicts.map((v) => [v.name, v]));
}

/** What is said to be the cause of one suspect. */
export const causeOf = (suspect: Suspect, evidence?: Evidence): string | undefined =>
  verdictsOn([suspect], evidence).get(suspect.name)!.cause?.says;
