import { editDistance } from '../../align/reference/nearestNames.ts';

/** `layer3/convA.weight` → layer, 3, conv, a, weight. */
const wordsOf = (name: string): string[] =>
  (
    name
      .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
      .match(/\p{Alphabetic}+|\p{Number}+|[^\s\w./:-]/gu) ?? []
  ).map((word) => word.toLowerCase());

/** A name's words and its pairs of neighbours: `layer 3` is not `3 layer`. */
function featuresOf(name: string): string[] {
  const words = wordsOf(name);
  return [...new Set([...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)])];
}

/** How much two words look like the same: 1 where they are; of numbers and neighbours, only then. */
function alike(a: string, b: string): number {
  if (a === b) return 1;
  const [short, long] = [Math.min(a.length, b.length), Math.max(a.length, b.length)];
  const mayBe = short >= 3 && short >= 0.6 * long;
  if (!mayBe || !isPlain.test(a) || !isPlain.test(b)) return 0;
  const share = 1 - editDistance(a, b) / long;
  return share >= 0.6 ? 0.8 * share : 0;
}

const isPlain = /^\p{Alphabetic}+$/u;

/** Names of one side: the features of each, by number. */
interface Side {
  readonly known: ReadonlyMap<string, number>;
  readonly features: readonly (readonly number[])[];
  /** Rare features say more. */
  readonly weights: readonly number[];
}

function sideOf(names: readonly string[]): Side {
  const known = new Map<string, number>();
  const uses: number[] = [];
  const features = names.map((name) =>
    featuresOf(name).map((feature) => {
      const id = known.get(feature) ?? known.size;
      known.set(feature, id);
      uses[id] = (uses[id] ?? 0) + 1;
      return id;
    }),
  );
  return { known, features, weights: uses.map((n) => Math.log(1 + names.length / n)) };
}

/** So many pairs of names have to speak against the look of two words. */
const prior = 2;

/** Which name of ours and which of theirs mean the same. */
type Pairs = readonly (readonly [number, number])[];

/** How alike features of both sides are: `[feature of the other side, 0 to 1]` for each of one side's. */
type Table = readonly (readonly (readonly [number, number])[])[];

/** How much features of the two sides look alike, by `ours · count of theirs + theirs`. */
function looksOf(ours: Side, theirs: Side): ReadonlyMap<number, number> {
  const width = theirs.known.size;
  const looks = new Map<number, number>();
  const plain = [...theirs.known].filter(([feature]) => isPlain.test(feature));
  for (const [feature, f] of ours.known) {
    const same = theirs.known.get(feature);
    if (same !== undefined) looks.set(f * width + same, 1);
    if (!isPlain.test(feature)) continue;
    for (const [word, g] of plain) {
      const look = alike(feature, word);
      if (look > 0) looks.set(f * width + g, look);
    }
  }
  return looks;
}

/** Two features are alike where they look so, and where they have stood in names of the same tensor. */
function tableOf(
  ours: Side,
  theirs: Side,
  looks: ReadonlyMap<number, number>,
  pairs: Pairs,
): Table {
  const together = new Map<number, number>();
  const width = theirs.known.size;
  const [own, other] = [new Float64Array(ours.known.size), new Float64Array(width)];
  for (const [i, j] of pairs) {
    for (const f of ours.features[i]) own[f]++;
    for (const g of theirs.features[j]) other[g]++;
    for (const f of ours.features[i])
      for (const g of theirs.features[j]) {
        together.set(f * width + g, (together.get(f * width + g) ?? 0) + 1);
      }
  }
  const shares = new Map<number, number>();
  for (const key of new Set([...together.keys(), ...looks.keys()])) {
    const [f, g] = [Math.floor(key / width), key % width];
    const met = 2 * (together.get(key) ?? 0) + prior * (looks.get(key) ?? 0);
    shares.set(key, met / (own[f] + other[g] + prior));
  }
  addNeighbours(shares, ours, theirs);
  const rows: [number, number][][] = Array.from({ length: ours.known.size }, () => []);
  for (const [key, share] of shares) rows[Math.floor(key / width)].push([key % width, share]);
  return rows;
}

/** Words that may stand for each other are no accident from here on. */
const likely = 0.4;

/** Two words one after the other are alike as far as each is, though nobody has seen these two together. */
function addNeighbours(shares: Map<number, number>, ours: Side, theirs: Side): void {
  const width = theirs.known.size;
  const theirWords = [...theirs.known.keys()];
  const meanings: [string, number][][] = Array.from({ length: ours.known.size }, () => []);
  for (const [key, share] of shares) {
    const word = theirWords[key % width];
    if (share >= likely && !word.includes(' ')) {
      meanings[Math.floor(key / width)].push([word, share]);
    }
  }
  for (const [feature, f] of ours.known) {
    const [first, second] = feature.split(' ').map((word) => meanings[ours.known.get(word)!]);
    if (second === undefined) continue;
    for (const [a, x] of first)
      for (const [b, y] of second) {
        const g = theirs.known.get(`${a} ${b}`);
        if (g === undefined) continue;
        const key = f * width + g;
        shares.set(key, Math.max(x * y, shares.get(key) ?? 0));
      }
  }
}

function turned(table: Table, size: number): Table {
  const rows: [number, number][][] = Array.from({ length: size }, () => []);
  for (const [f, row] of table.entries()) for (const [g, share] of row) rows[g].push([f, share]);
  return rows;
}

/** For each name the best that any of its features makes of each feature of the other side. */
function reachOf(side: Side, table: Table, size: number): (name: number) => Float32Array {
  const found: Float32Array[] = [];
  return (name) => {
    if (found[name] === undefined) {
      const reach = new Float32Array(size);
      for (const f of side.features[name])
        for (const [g, share] of table[f]) if (share > reach[g]) reach[g] = share;
      found[name] = reach;
    }
    return found[name];
  };
}

/** How alike the names `ours[i]` and `theirs[j]` are, 0 to 1. */
export type Similarity = (i: number, j: number) => number;

/**
 * A measure of names, taught by pairs that are known to mean the same: a port that says `kernel` for PyTorch's `weight`,
 * and counts its blocks from 1, is understood by them.
 */
export function similarities(
  ours: readonly string[],
  theirs: readonly string[],
): (pairs: Pairs) => Similarity {
  const [a, b] = [sideOf(ours), sideOf(theirs)];
  const looks = looksOf(a, b);
  return (pairs) => {
    const table = tableOf(a, b, looks, pairs);
    const there = reachOf(a, table, b.known.size);
    const back = reachOf(b, turned(table, b.known.size), a.known.size);
    return (i, j) => {
      const [reach, reached] = [there(i), back(j)];
      let [sum, all] = [0, 0];
      for (const g of b.features[j]) {
        sum += b.weights[g] * reach[g];
        all += b.weights[g];
      }
      for (const f of a.features[i]) {
        sum += a.weights[f] * reached[f];
        all += a.weights[f];
      }
      return all === 0 ? 0 : sum / all;
    };
  };
}
