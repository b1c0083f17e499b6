import { maskAt, maskRules, placeOfMask } from './draws/places.ts';
import type { Sequence } from './draws/sequence.ts';
import { drawsApart, type Finding } from './finding.ts';

/** One layer's masks of all steps. */
export interface Masks {
  /** Elements of an image. */
  readonly width: number;
  readonly ours: readonly Float64Array[];
  readonly theirs: readonly Float64Array[];
  /** Those of the other layers in the reference. */
  readonly others: readonly (readonly Float64Array[])[];
  /** How a person calls a step. */
  readonly step: (i: number) => string;
}

interface Given extends Masks {
  /** Steps whose masks are others. */
  readonly wrong: readonly number[];
  readonly keep: number;
  readonly sequence: () => Sequence;
}

type Row = (given: Given) => Finding | undefined;

const found = (key: string, says: string): Finding => ({
  key: `mask ${key}`,
  row: 'fed: mask',
  says,
});

const equal = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

const inactive: Row = ({ wrong, ours }) =>
  wrong.every((i) => ours[i].every((x) => x === 1))
    ? found('none', 'nothing is dropped: dropout is not active')
    : undefined;

const turnedRound: Row = ({ wrong, ours, theirs }) =>
  wrong.every(
    (i) => ours[i].length === theirs[i].length && ours[i].every((x, k) => x === 1 - theirs[i][k]),
  )
    ? found('inverted', 'the mask is turned round: it keeps what it should drop')
    : undefined;

/** The first step that was as large. */
const reused: Row = ({ wrong, ours }) =>
  wrong.every((i) => {
    const first = ours.findIndex((mask) => mask.length === ours[i].length);
    return first < i && equal(ours[i], ours[first]);
  })
    ? found('reused', 'the mask of the first step of its size in every step: drawn once and reused')
    : undefined;

const stepBefore: Row = ({ wrong, ours, theirs }) =>
  wrong.every((i) => i > 0 && equal(ours[i], theirs[i - 1]))
    ? found('before', 'the mask of the step before')
    : undefined;

const otherLayer: Row = ({ wrong, ours, others }) =>
  others.some((other) => wrong.every((i) => equal(ours[i], other[i])))
    ? found('layer', "another dropout layer's mask")
    : undefined;

/** The same elements are dropped for every image of a batch. */
const oneRow: Row = ({ wrong, ours, width }) =>
  wrong.every(
    (i) =>
      ours[i].length > width &&
      new Set(ours[i]).size > 1 &&
      ours[i].every((x, k) => x === ours[i][k % width]),
  )
    ? found('one', 'one mask for all images of a batch')
    : undefined;

const byDraws: Row = ({ wrong: [i], ours, theirs, keep, step, sequence }) => {
  const theirPlace = placeOfMask(sequence(), theirs[i], keep, 0);
  if (theirPlace < 0) return undefined;
  const { draws } = sequence();
  const rule = maskRules.slice(1).find((other) => maskAt(draws, theirPlace, ours[i], keep, other));
  if (rule?.says !== undefined) return found(rule.key, rule.says);
  const place = placeOfMask(sequence(), ours[i], keep, theirPlace);
  return place < 0 ? undefined : drawsApart(`the mask of ${step(i)}`, place, theirPlace);
};

const rows: readonly Row[] = [
  inactive,
  turnedRound,
  reused,
  stepBefore,
  otherLayer,
  oneRow,
  byDraws,
];

/** Why dropout drops otherwise; undefined where it does not, or nothing explains it. */
export function maskFinding(
  masks: Masks,
  keep: number,
  sequence: () => Sequence,
): Finding | undefined {
  const { ours, theirs } = masks;
  const wrong = theirs.flatMap((mask, i) =>
    ours[i] !== undefined && !equal(mask, ours[i]) ? [i] : [],
  );
  if (wrong.length === 0) return undefined;
  for (const row of rows) {
    const finding = row({ ...masks, wrong, keep, sequence });
    if (finding !== undefined) return finding;
  }
  return undefined;
}
