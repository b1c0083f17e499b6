import { drawnAt, placeOfViews } from './draws/places.ts';
import { flipRules, placeOfOrder, type Sequence } from './draws/sequence.ts';
import { drawsApart, type Finding } from './finding.ts';
import { type BatchPair, type PassPair, wrongBatches } from './passes.ts';
import type { Seen } from './pixels/decode.ts';
import { columnOf, type First, isPlain, padding, type Shown, sameView } from './pixels/shown.ts';
import type { FedRecord } from './record.ts';
import { workersFinding } from './workers.ts';

/** An image of both sides. */
interface Pair {
  readonly ours: Seen;
  readonly theirs: Shown;
}

interface Given {
  readonly pairs: readonly Pair[];
  readonly passes: readonly PassPair[];
  readonly record: FedRecord;
  readonly sequence: () => Sequence;
}

type Row = (given: Given) => Finding | undefined;

const found = (key: string, says: string): Finding => ({
  key: `view ${key}`,
  row: 'fed: crop',
  says,
});

const pairsOf = (batches: readonly BatchPair[]): Pair[] =>
  batches.flatMap(({ ours, theirs }) =>
    ours.map((image, i) => ({ ours: image, theirs: theirs.shown[i] })),
  );

/** The same crop: of the mirrored image, or of the image as it is when it is cropped. */
const sameCrop = (a: Shown, b: Shown, first: First): boolean =>
  a.top === b.top && (a.left === b.left || columnOf(a, first) === columnOf(b, first));

const upsideDown: Row = ({ pairs, record: { first } }) =>
  pairs.every(
    ({ ours, theirs }) =>
      !ours.flip &&
      ours.upsideDown === theirs.flip &&
      ours.top === theirs.top &&
      ours.left === columnOf(theirs, first),
  )
    ? found(
        'upside down',
        'flipped upside down, not left to right: rows are in reverse, not columns',
      )
    : undefined;

const plain: Row = ({ pairs }) =>
  pairs.every(({ ours }) => isPlain(ours))
    ? found('plain', 'images are not augmented: neither mirrored nor cropped')
    : undefined;

const flipsOnly: Row = ({ pairs, record: { first } }) => {
  if (!pairs.every(({ ours, theirs }) => sameCrop(ours, theirs, first))) return undefined;
  if (pairs.every(({ ours }) => !ours.flip))
    return found('never', 'no image is flipped: cropped as the reference, never mirrored');
  if (pairs.every(({ ours }) => ours.flip))
    return found('always', 'every image is flipped: cropped as the reference, always mirrored');
  return pairs.every(({ ours, theirs }) => ours.flip !== theirs.flip)
    ? found('inverted', "the reference's flipped images are not flipped here, and the others are")
    : undefined;
};

/** What is left to explain where the flips are right. */
const sameFlips = (pairs: readonly Pair[]): boolean =>
  pairs.every(({ ours, theirs }) => ours.flip === theirs.flip);

const notCropped: Row = ({ pairs }) =>
  sameFlips(pairs) && pairs.every(({ ours }) => ours.top === padding && ours.left === padding)
    ? found('uncropped', 'mirrored as the reference, but never cropped')
    : undefined;

const swapped: Row = ({ pairs, record: { first } }) =>
  sameFlips(pairs) &&
  pairs.every(
    ({ ours, theirs }) =>
      ours.top === columnOf(theirs, first) && columnOf(ours, first) === theirs.top,
  )
    ? found('swapped', 'row and column of the crop are exchanged')
    : undefined;

const otherOrder: Row = ({ pairs, record: { first } }) => {
  const turnedFrom = first === 'flip' ? 'crop' : 'flip';
  const all =
    sameFlips(pairs) &&
    pairs.every(
      ({ ours, theirs }) =>
        ours.top === theirs.top && columnOf(ours, turnedFrom) === columnOf(theirs, first),
    );
  if (!all) return undefined;
  return first === 'flip'
    ? found(
        'crop first',
        'cropped before flipped: columns are shifted the other way where an image is mirrored',
      )
    : found(
        'flip first',
        'flipped before cropped: columns are shifted the other way where an image is mirrored',
      );
};

/** One other offset for each of the reference's. */
const otherOffsets: Row = ({ pairs, record: { first } }) => {
  if (!sameFlips(pairs)) return undefined;
  const map = new Map<number, number>();
  for (const { ours, theirs } of pairs) {
    const both = [
      [theirs.top, ours.top],
      [columnOf(theirs, first), columnOf(ours, first)],
    ];
    for (const [from, to] of both) {
      if ((map.get(from) ?? to) !== to) return undefined;
      map.set(from, to);
    }
  }
  const by = new Set([...map].map(([from, to]) => to - from));
  if (by.size === 1) {
    const [shift] = by;
    return found(
      `shift ${shift}`,
      `cropped ${Math.abs(shift)} further ${shift > 0 ? 'down and right' : 'up and left'}: crop offsets are counted from ${shift}`,
    );
  }
  const wrong = [...map].filter(([from, to]) => from !== to).sort(([a], [b]) => a - b);
  const told = wrong.map(([from, to]) => `${from} → ${to}`).join(', ');
  return found(
    `offsets ${told}`,
    `cropped elsewhere at some offsets, the reference's → ours: ${told}`,
  );
};

const onceABatch: Row = ({ passes, record: { first } }) => {
  const batches = passes.flatMap((pass) => pass.batches);
  if (!batches.some(({ ours }) => ours.length > 1)) return undefined;
  return batches.every(({ ours, theirs }) =>
    ours.every(
      (image) =>
        image.flip === ours[0].flip &&
        sameCrop(image, ours[0], first) &&
        sameView(ours[0], theirs.shown[0]),
    ),
  )
    ? found('once a batch', 'one crop and flip for all images of a batch: those of its first image')
    : undefined;
};

/** Every image alike. */
const allAlike: Row = ({ pairs }) => {
  const [{ ours: one }] = pairs;
  if (!pairs.every(({ ours }) => sameView(ours, one))) return undefined;
  const flipped = one.flip ? 'mirrored, and ' : '';
  return found(
    'alike',
    `every image is augmented alike: ${flipped}cropped at row ${one.top}, column ${one.left} of the padded image`,
  );
};

/** Without workers: drawn by the run's own generator, elsewhere or otherwise. */
const byTheRun: Row = ({ passes, record: { first, workers }, sequence }) => {
  if (workers > 0) return undefined;
  const wrong = wrongBatches(passes);
  const { draws } = sequence();
  const [{ pass, batch }] = wrong;
  const near = placeOfOrder(sequence(), pass.order, 0, pass.order.length);
  if (near < 0) return undefined;
  const theirs = wrong.map((w) => placeOfViews(sequence(), w.batch.theirs.shown, first, near));
  const [theirPlace] = theirs;
  if (theirPlace < 0) return undefined;
  for (const rule of flipRules.slice(1)) {
    const all = wrong.every(
      (w, i) => theirs[i] < 0 || drawnAt(draws, theirs[i], w.batch.ours, first, rule),
    );
    if (all) return found(`rule ${rule.key}`, rule.says!);
  }
  const ours = placeOfViews(sequence(), batch.ours, first, theirPlace);
  return ours < 0 ? undefined : drawsApart(`the flips and crops of ${pass.name}`, ours, theirPlace);
};

const rows: readonly Row[] = [
  upsideDown,
  plain,
  flipsOnly,
  notCropped,
  swapped,
  otherOrder,
  otherOffsets,
  onceABatch,
  byTheRun,
  ({ passes, record, sequence }) => workersFinding(passes, record, sequence),
  allAlike,
];

/** Why images are mirrored or cropped otherwise; undefined where they are not, or nothing explains it. */
export function viewFinding(
  passes: readonly PassPair[],
  record: FedRecord,
  sequence: () => Sequence,
): Finding | undefined {
  const pairs = pairsOf(passes.flatMap((pass) => pass.batches));
  if (pairs.every(({ ours, theirs }) => !ours.upsideDown && sameView(ours, theirs))) {
    return undefined;
  }
  for (const row of rows) {
    const finding = row({ pairs, passes, record, sequence });
    if (finding !== undefined) return finding;
  }
  return undefined;
}
