import { literal, type NameEntry, renameBy } from '../nameMap.ts';
import { shortError } from './evidence.ts';
import type { Proposal, Sureness } from './proposal.ts';

/** So many entries are said shorter by one. */
const several = 3;

const words = /[\p{Alphabetic}\p{Number}]+|[^\p{Alphabetic}\p{Number}]/gu;
const numbers = /\p{Number}+|[^\p{Number}]+/gu;
const isWord = /^[\p{Alphabetic}\p{Number}]/u;
const isNumber = /^\p{Number}/u;

/** Positions of the longest common subsequence of two lists, among the items that may be taken. */
function common(a: readonly string[], b: readonly string[], may: (item: string) => boolean) {
  const best = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const same = a[i] === b[j] && may(a[i]) ? best[i + 1][j + 1] + 1 : 0;
      best[i][j] = Math.max(same, best[i + 1][j], best[i][j + 1]);
    }
  const found: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j] && may(a[i]) && best[i][j] === best[i + 1][j + 1] + 1) found.push([i++, j++]);
    else if (best[i + 1][j] >= best[i][j + 1]) i++;
    else j++;
  }
  return found;
}

type Pattern = Pick<NameEntry, 'ours' | 'probe'>;

/** A star for each run of parts that stand in both names one after the other, where a word is among them. */
function starred(a: readonly string[], b: readonly string[], at: readonly [number, number][]) {
  const runs: [number, number][][] = [];
  for (const [i, j] of at) {
    const last = runs.at(-1)?.at(-1);
    if (last !== undefined && last[0] === i - 1 && last[1] === j - 1) runs.at(-1)!.push([i, j]);
    else runs.push([[i, j]]);
  }
  const kept = runs.filter((run) => run.some(([i]) => isWord.test(a[i])));
  if (kept.length === 0) return [];
  const side = (parts: readonly string[], which: 0 | 1): string => {
    const begins = new Set(kept.map((run) => run[0][which]));
    const inside = new Set(kept.flat().map((pair) => pair[which]));
    return parts
      .map((part, i) => (begins.has(i) ? '*' : inside.has(i) ? '' : literal(part)))
      .join('');
  };
  return [{ ours: side(a, 0), probe: side(b, 1) }];
}

/** The longest text that both names have. */
function commonText(a: string, b: string): [number, number, number] {
  let found: [number, number, number] = [0, 0, 0];
  const runs = new Uint16Array(b.length + 1);
  for (let i = 1; i <= a.length; i++)
    for (let j = b.length; j > 0; j--) {
      runs[j] = a[i - 1] === b[j - 1] ? runs[j - 1] + 1 : 0;
      if (runs[j] > found[2]) found = [i - runs[j], j - runs[j], runs[j]];
    }
  return found;
}

/** Patterns that may have made one name of the other, the most general first. */
function patternsOf(ours: string, probe: string): Pattern[] {
  const [a, b] = [ours, probe].map((name) => name.match(words) ?? []);
  const [c, d] = [ours, probe].map((name) => name.match(numbers) ?? []);
  const counted = common(c, d, (item) => isNumber.test(item));
  const [from, to, length] = commonText(ours, probe);
  const around = (name: string, at: number): string =>
    `${literal(name.slice(0, at))}*${literal(name.slice(at + length))}`;
  return [
    ...(length > 0 ? [{ ours: around(ours, from), probe: around(probe, to) }] : []),
    ...starred(
      a,
      b,
      common(a, b, () => true),
    ),
    ...[counted, ...counted.map((one) => [one])].flatMap((at) => starred(c, d, at)),
  ];
}

interface Group {
  readonly pattern: Pattern;
  readonly layout: string | undefined;
  readonly of: Proposal[];
}

const keyOf = ({ ours, probe }: Pattern, layout: string | undefined): string =>
  JSON.stringify([ours, probe, layout]);

function groupsOf(proposals: readonly Proposal[]): Group[] {
  const found = new Map<string, Group>();
  for (const one of proposals) {
    for (const pattern of patternsOf(one.ours, one.probe)) {
      const key = keyOf(pattern, one.layout);
      const group = found.get(key) ?? { pattern, layout: one.layout, of: [] };
      found.set(key, group);
      if (group.of.at(-1) !== one) group.of.push(one);
    }
  }
  return [...found.values()].filter(({ of }) => of.length >= several);
}

/**
 * It fits just the names that it was made from, besides some that are right already and that it leaves so: an entry
 * that another one does the work of is refused.
 */
function isRight({ pattern, layout, of }: Group, names: readonly string[], meant: Meant): boolean {
  const rename = renameBy(pattern);
  const own = new Set(of.map(({ ours }) => ours));
  return names.every((name) => {
    const probe = rename(name);
    if (probe === undefined) return !own.has(name);
    const proposal = meant.get(name);
    if (proposal?.probe !== probe || proposal.layout !== layout) return false;
    return own.has(name) || !isNeeded(proposal);
  });
}

type Meant = ReadonlyMap<string, Proposal>;

/** A name that is right already, axes too, needs no entry. */
const isNeeded = ({ ours, probe, layout }: Proposal): boolean =>
  ours !== probe || layout !== undefined;

/** An entry of a map, and how sure it is. */
export interface Row {
  readonly entry: NameEntry;
  readonly how: Sureness;
}

function rowOf({ pattern, layout, of }: Group): Row {
  const worst = Math.max(...of.map(({ error }) => error));
  const because = `${of.length} tensors, values equal to ${shortError(worst)}`;
  const entry = { ...pattern, ...(layout !== undefined && { layout }), because };
  return { entry, how: of.every(({ how }) => how === 'sure') ? 'sure' : 'likely' };
}

const single = ({ ours, probe, layout, because, how }: Proposal): Row => ({
  entry: {
    ours: literal(ours),
    probe: literal(probe),
    ...(layout !== undefined && { layout }),
    because,
  },
  how,
});

const none = (name: string): Row => ({
  entry: { ours: literal(name), probe: null, because: 'another tensor is this probe' },
  how: 'likely',
});

/**
 * The entries of a map that make of every name what is proposed of it, and leave names that are right already. Several
 * that are surely made the same way are one pattern, if that fits no other name of the recording. A tensor that
 * is no probe, but is called like one that another tensor is, is said to be none.
 */
export function rowsOf(names: readonly string[], proposals: readonly Proposal[]): Row[] {
  const meant: Meant = new Map(proposals.map((one) => [one.ours, one]));
  const needed = proposals.filter(isNeeded);
  const patterns = new Map<Proposal, Row | undefined>();
  const groups = groupsOf(needed.filter((one) => one.equal && one.how !== 'guess'));
  for (const group of groups.sort((a, b) => b.of.length - a.of.length)) {
    const isNew = group.of.every((one) => !patterns.has(one));
    if (!isNew || !isRight(group, names, meant)) continue;
    for (const [i, one] of group.of.entries())
      patterns.set(one, i === 0 ? rowOf(group) : undefined);
  }
  const rows = needed.flatMap((one) => {
    if (!patterns.has(one)) return [single(one)];
    const pattern = patterns.get(one);
    return pattern === undefined ? [] : [pattern];
  });
  const taken = new Set(proposals.map(({ probe }) => probe));
  const mistaken = names.filter((name) => !meant.has(name) && taken.has(name));
  return [...rows, ...mistaken.map(none)];
}
