import type { Finding } from './finding.ts';
import type { RawSet } from './pixels/rawSet.ts';

/** A label that was fed, and of which image of the set. */
export interface Labelled {
  readonly index: number;
  readonly label: number;
}

type Row = (all: readonly Labelled[], set: RawSet) => Finding | undefined;

const found = (key: string, says: string): Finding => ({
  key: `labels ${key}`,
  row: 'fed: labels',
  says,
});

/** The whole set's labels: a small run sees the first of its images only. */
const ofNeighbour: Row = (all, { labels, count }) => {
  for (const by of [1, -1]) {
    const are = all.every(({ index, label }) =>
      [labels.length, count].some((n) => labels[(index + by + n) % n] === label),
    );
    if (are) {
      return found(
        `${by}`,
        `labels are those of the ${by > 0 ? 'next' : 'previous'} image: shifted by one`,
      );
    }
  }
  return undefined;
};

const coarse: Row = (all, { coarse: bytes }) =>
  bytes !== undefined && all.every(({ index, label }) => bytes[index] === label)
    ? found(
        'coarse',
        'labels are the coarse ones: the first of the two label bytes, not the second',
      )
    : undefined;

/** One other class for each. */
function classesOf(all: readonly Labelled[], { labels }: RawSet): Map<number, number> | undefined {
  const map = new Map<number, number>();
  for (const { index, label } of all) {
    const known = map.get(labels[index]);
    if (known !== undefined && known !== label) return undefined;
    map.set(labels[index], label);
  }
  return new Set(map.values()).size === map.size ? map : undefined;
}

const fewestClasses = 3;

const renumbered: Row = (all, set) => {
  const map = classesOf(all, set);
  if (map === undefined || map.size < fewestClasses) return undefined;
  const pairs = [...map].sort(([a], [b]) => a - b);
  const shift = new Set(pairs.map(([from, to]) => to - from));
  if (shift.size === 1) {
    const [by] = shift;
    return found(
      `+${by}`,
      `each label is ${Math.abs(by)} ${by > 0 ? 'more' : 'less'}: classes are counted from another number`,
    );
  }
  const sum = new Set(pairs.map(([from, to]) => from + to));
  if (sum.size === 1) {
    const [last] = sum;
    return found('reversed', `classes are numbered in reverse order: ${last} less each label`);
  }
  const told = pairs.slice(0, 4).map(([from, to]) => `${from} → ${to}`);
  return found(
    'classes',
    `classes are numbered in another order: ${told.join(', ')}${pairs.length > 4 ? ', …' : ''}`,
  );
};

const rows: readonly Row[] = [ofNeighbour, coarse, renumbered];

/** Why images have other labels than their own; undefined where they have not, or nothing explains it. */
export function labelsFinding(all: readonly Labelled[], set: RawSet): Finding | undefined {
  if (all.length === 0 || all.every(({ index, label }) => set.labels[index] === label))
    return undefined;
  for (const row of rows) {
    const finding = row(all, set);
    if (finding !== undefined) return finding;
  }
  return undefined;
}
