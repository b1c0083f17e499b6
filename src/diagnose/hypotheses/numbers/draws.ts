import { toFloat64 } from '../../../tensor/tensor.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import type { Numbers } from '../../numbers.ts';
import type { Held, Suspect } from '../../suspect.ts';

/** Numbers that come from a generator and are held whole: draws, the order of the data, what a run begins with. */
const isDrawn = ({ kind, name }: Pick<Held, 'kind' | 'name'>): boolean =>
  kind === 'draw' || kind === 'input' || name.startsWith('initial/');

/** Bits of chance in one element, by how often each value occurs. */
function bitsOf(values: Float64Array): number {
  const counts = new Map<number, number>();
  for (const x of values) counts.set(x, (counts.get(x) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / values.length;
    return sum - share * Math.log2(share);
  }, 0);
}

/** So many bits that agree are no accident, among all places that are tried. */
const enoughBits = 40;

/** How many elements of ours agree with `sequence` from `offset` on; −1 where one that lies in both does not. */
function agreeing(
  ours: Float64Array,
  sequence: Float64Array,
  offset: number,
  allowed: number,
): number {
  const from = Math.max(0, -offset);
  const to = Math.min(ours.length, sequence.length - offset);
  for (let i = from; i < to; i++) {
    if (!(Math.abs(ours[i] - sequence[i + offset]) <= allowed)) return -1;
  }
  return to - from;
}

/** So many bits of what is new at an end, equal to what left at the other: it went round, and nothing is new. */
const enoughForRound = 6;

function goesRound({ whole, truth }: Numbers, offset: number, bits: number): boolean {
  const n = whole.length;
  return (
    Math.abs(offset) * bits >= enoughForRound &&
    whole.every((x, i) => x === truth[(i + offset + n) % n])
  );
}

const drawsWord = (count: number): string => (count === 1 ? 'one draw' : `${count} draws`);

/** Offsets by which one sequence is moved against another: the nearest first. */
function* offsets(most: number): Generator<number> {
  for (let k = 1; k <= most; k++) {
    yield k;
    yield -k;
  }
}

/** All draws one after the other, and where the suspect's begin. */
function sequenceOf(
  draws: readonly Held[],
  suspect: Suspect,
): { readonly values: Float64Array; readonly start: number } | undefined {
  let start = -1;
  const parts: Float64Array[] = [];
  let length = 0;
  for (const draw of draws) {
    if (draw.name === suspect.name) start = length;
    const values = toFloat64(draw.record.pytorch);
    parts.push(values);
    length += values.length;
  }
  if (start < 0) return undefined;
  const values = new Float64Array(length);
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return { values, start };
}

const shifted: Hypothesis = {
  name: 'draws shifted',
  about: "the reference's draws, one or more earlier or later",
  fits(numbers, suspect, evidence): Fit[] {
    if (!isDrawn(suspect) || numbers.truth.length !== numbers.whole.length) return [];
    const { whole, truth, unit, limit } = numbers;
    const bits = bitsOf(truth);
    if (bits === 0) return [];
    const needed = Math.ceil(enoughBits / bits);
    const all = suspect.kind === 'draw' ? sequenceOf(evidence.draws?.() ?? [], suspect) : undefined;
    const { values, start } = all ?? { values: truth, start: 0 };
    for (const offset of offsets(values.length)) {
      const found = agreeing(whole, values, start + offset, limit * unit);
      // Half of ours at least: what is new at the end is new.
      if (found < needed || found < whole.length / 2) continue;
      if (goesRound(numbers, offset, bits)) return [];
      const by = drawsWord(Math.abs(offset));
      const says =
        offset > 0
          ? `the reference's draws, ${by} later: ${by} more before it`
          : `the reference's draws, ${by} earlier: ${by} fewer before it`;
      return [{ key: `draws ${offset}`, says, left: 0, freedom: 1 }];
    }
    return [];
  },
};

const isPermutation = (values: Float64Array): boolean => {
  const seen = new Uint8Array(values.length);
  for (const x of values) {
    if (!Number.isInteger(x) || x < 0 || x >= values.length || seen[x] === 1) return false;
    seen[x] = 1;
  }
  return true;
};

const fewest = 8;
const standardDeviations = 4;

/** `permutations of 0 … 511`, or undefined where the two have nothing in common that proves it. */
function sameKind({ whole, truth }: Numbers): string | undefined {
  const n = truth.length;
  if (n < fewest || whole.length !== n) return undefined;
  if (isPermutation(whole) && isPermutation(truth)) return `permutations of 0 … ${n - 1}`;
  const [own, theirs] = [new Set(whole), new Set(truth)];
  const nonzero = [...theirs].filter((x) => x !== 0);
  const masks = own.size === 2 && theirs.size === 2 && own.has(0) && theirs.has(0);
  if (!masks || !own.has(nonzero[0])) return undefined;
  const [a, b] = [whole, truth].map((v) => v.filter((x) => x !== 0).length / n);
  const rate = (a + b) / 2;
  const spread = Math.sqrt((2 * rate * (1 - rate)) / n);
  if (Math.abs(a - b) > standardDeviations * spread) return undefined;
  const differing = whole.filter((x, i) => x !== truth[i]).length;
  // Two masks that have nothing to do with each other differ so often; those that differ less are related.
  const expected = 2 * rate * (1 - rate);
  const near = Math.sqrt((expected * (1 - expected)) / n);
  if (Math.abs(differing / n - expected) > standardDeviations * near) return undefined;
  return `masks that keep ${Math.round(rate * 100)} %, and ${differing} of ${n} elements differ`;
}

const otherSeed: Hypothesis = {
  name: 'other draws',
  about: 'draws of the same kind that have nothing else in common: another seed',
  fits(numbers, suspect): Fit[] {
    const { whole, truth } = numbers;
    if (!isDrawn(suspect) || whole.every((x, i) => x === truth[i])) return [];
    const kind = sameKind(numbers);
    if (kind === undefined) return [];
    const says = `both are ${kind}: another seed, or another place in the generator's sequence`;
    return [{ key: 'other draws', says, left: 0, freedom: 2 }];
  },
};

/** Random numbers that are others. */
export const drawHypotheses: readonly Hypothesis[] = [shifted, otherSeed];
