import { orderOf, otherShuffles, placeOfOrder, type Sequence, seedAt } from './draws/sequence.ts';
import { drawsApart, type Finding } from './finding.ts';
import { ourOrder, type PassPair, sameNumbers, theirOrder } from './passes.ts';
import type { FedRecord } from './record.ts';

interface Given {
  /** Every pass; those in which the order is another. */
  readonly passes: readonly PassPair[];
  readonly wrong: readonly PassPair[];
  readonly record: FedRecord;
  readonly sequence: () => Sequence;
}

type Row = (given: Given) => Finding | undefined;

const found = (key: string, says: string): Finding => ({
  key: `order ${key}`,
  row: 'fed: order',
  says,
});

const ourStart = ({ first }: PassPair, { batch }: FedRecord): number => first * batch;

/** What our order of a pass would be, were the whole pass in this order. */
const partOf = (pass: PassPair, whole: readonly number[], record: FedRecord): number[] => {
  const from = ourStart(pass, record);
  return whole.slice(from, from + ourOrder(pass).length);
};

const notShuffled: Row = ({ wrong, record }) =>
  wrong.every((pass) =>
    sameNumbers(
      ourOrder(pass),
      partOf(
        pass,
        Array.from({ length: record.images }, (_, i) => i),
        record,
      ),
    ),
  )
    ? found('none', 'not shuffled: images 0, 1, 2, … in the order of the set')
    : undefined;

const firstAgain: Row = ({ passes: [first], wrong, record }) =>
  first.first === 0 &&
  wrong.every((pass) => sameNumbers(ourOrder(pass), partOf(pass, ourOrder(first), record)))
    ? found('first', `every pass has the order of the first, ${first.name}: shuffled once`)
    : undefined;

const passBefore: Row = ({ passes, wrong, record }) =>
  wrong.every((pass) => {
    const before = passes[passes.indexOf(pass) - 1];
    return before !== undefined && sameNumbers(ourOrder(pass), partOf(pass, before.order, record));
  })
    ? found('before', 'each pass has the order of the one before it: one epoch late')
    : undefined;

const backwards: Row = ({ wrong, record }) =>
  wrong.every((pass) => sameNumbers(ourOrder(pass), partOf(pass, pass.order.toReversed(), record)))
    ? found('reversed', "the reference's order backwards")
    : undefined;

/** The same seed of the sampler, and another way from its draws to an order. */
const anotherShuffle: Row = ({ wrong, record, sequence }) => {
  const places = wrong.map((pass) => placeOfOrder(sequence(), pass.order, 0, record.images));
  if (places.some((place) => place < 0)) return undefined;
  const shuffle = otherShuffles.find((other) =>
    wrong.every((pass, i) =>
      sameNumbers(
        ourOrder(pass),
        partOf(pass, orderOf(seedAt(sequence(), places[i]), record.images, other), record),
      ),
    ),
  );
  return shuffle?.says === undefined ? undefined : found(shuffle.key, shuffle.says);
};

const replaced: Row = ({ wrong }) => {
  const twice = wrong.every((pass) => new Set(ourOrder(pass)).size < ourOrder(pass).length);
  if (!twice) return undefined;
  const [pass] = wrong;
  const all = ourOrder(pass);
  return found(
    'twice',
    `some images twice, others never: in ${pass.name} only ${new Set(all).size} of ${all.length}, as if drawn with replacement`,
  );
};

const elsewhere: Row = ({ wrong: [pass], record, sequence }) => {
  const theirs = placeOfOrder(sequence(), pass.order, 0, record.images);
  if (theirs < 0) return undefined;
  const from = ourStart(pass, record);
  const ours = placeOfOrder(sequence(), ourOrder(pass), from, record.images);
  // A seed of 64 bits is two draws.
  return ours < 0 ? undefined : drawsApart(`the order of ${pass.name}`, ours, theirs);
};

const rows: readonly Row[] = [
  notShuffled,
  firstAgain,
  passBefore,
  backwards,
  anotherShuffle,
  elsewhere,
  replaced,
];

/** Why the images come in another order; undefined where they do not, or nothing explains it. */
export function orderFinding(
  passes: readonly PassPair[],
  record: FedRecord,
  sequence: () => Sequence,
): Finding | undefined {
  const wrong = passes.filter((pass) => !sameNumbers(ourOrder(pass), theirOrder(pass)));
  if (wrong.length === 0) return undefined;
  for (const row of rows) {
    const finding = row({ passes, wrong, record, sequence });
    if (finding !== undefined) return finding;
  }
  return undefined;
}
