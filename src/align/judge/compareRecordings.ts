import { printable } from '../../io/names.ts';
import type { Arrays } from '../../io/numpy/arrays.ts';
import { formatShape, sameShape } from '../../tensor/shape.ts';
import { elementAt, type Tensor } from '../../tensor/tensor.ts';
import { isConstant } from '../measure/constant.ts';
import type { ReprodMethod } from '../measure/reprodMeasures.ts';
import type { Expectation } from './expectation.ts';
import type { Sides } from './incomparable.ts';
import { judge } from './judge.ts';
import { passed, type Verdict } from './verdict.ts';

export interface CompareOptions {
  readonly methods: readonly ReprodMethod[];
  /** Largest value that passes, for every method. */
  readonly threshold: number;
}

export interface Comparison {
  readonly verdicts: readonly Verdict[];
  /** What a reader should know although it passed. */
  readonly notes: readonly string[];
  readonly passed: boolean;
}

/** The second side in the first one's shape, where both hold a single number. */
const asOneNumber = (a: Tensor | undefined, b: Tensor): Tensor =>
  a?.data.length === 1 && b.data.length === 1 ? { ...b, shape: a.shape } : b;

function noteOn(name: string, a: Tensor | undefined, b: Tensor): string[] {
  if (a === undefined) return [];
  if (a.data.length === 1 && b.data.length === 1 && !sameShape(a.shape, b.shape)) {
    return [
      `${printable(name)}: shape ${formatShape(a.shape)} against ${formatShape(b.shape)}, one number each`,
    ];
  }
  if (isConstant(a) && isConstant(b)) {
    return [
      `${printable(name)}: A is ${elementAt(a, 0)} everywhere, B ${elementAt(b, 0)}: that proves little`,
    ];
  }
  return [];
}

/** Why a key that one side at least holds fails, where it cannot be measured; a note where both hold the same bytes. */
function onUnread(name: string, a: Arrays, b: Arrays): Expectation | string {
  const [ours, theirs] = [a.unread.get(name), b.unread.get(name)];
  const failing = (problem: string): Expectation => ({ name, rule: { kind: 'refusal', problem } });
  if (ours !== undefined && theirs !== undefined) {
    if (ours.digest !== undefined && ours.digest === theirs.digest)
      return `${printable(name)}: A and B hold the same bytes, ${ours.what}`;
    return failing(
      ours.what === theirs.what
        ? `A and B hold ${ours.what}, ${ours.digest === undefined ? 'which is not compared' : 'and not the same'}`
        : `A holds ${ours.what}, B ${theirs.what}`,
    );
  }
  const [holder, what, other, side] =
    ours === undefined ? ['B', theirs!.what, a, "A's"] : ['A', ours.what, b, "B's"];
  return failing(other.tensors.has(name) ? `${holder} holds ${what}` : `missing on ${side} side`);
}

const sides: Sides = { ours: "A's", theirs: "B's" };

const nothing: Expectation = {
  name: '(nothing)',
  rule: { kind: 'refusal', problem: 'nothing recorded' },
};

/**
 * Two recordings key by key, by reprod_log's measures and to its digits: A judged by what B holds. What reprod_log
 * lets pass fails here by name: a key on one side only, other shapes (nothing broadcasts or is transposed), other
 * dtypes, NaN and Inf, empty arrays. Arrays of no numbers pass only with the same bytes on both sides. One liberty:
 * a single number is a single number, whether a framework gives its loss the shape [] or [1]; a note says
 * so, and what the readers left out.
 */
export function compareRecordings(
  a: Arrays,
  b: Arrays,
  { methods, threshold }: CompareOptions,
): Comparison {
  const unread = new Map(
    [...a.unread.keys(), ...b.unread.keys()].map((name) => [name, onUnread(name, a, b)]),
  );
  const recording = new Map([...a.tensors].filter(([name]) => !unread.has(name)));
  const measured = [...b.tensors].flatMap(([name, t]): Expectation[] => {
    const to = asOneNumber(a.tensors.get(name), t);
    const rule = { kind: 'measures', to, methods, threshold, sides } as const;
    return unread.has(name) ? [] : [{ name, rule }];
  });
  const empty = a.tensors.size + b.tensors.size === 0;
  const refused = [...unread.values()].filter((found) => typeof found === 'object');
  const { verdicts } = judge({ recording, sides }, [
    ...(empty ? [nothing] : []),
    ...measured,
    ...refused,
  ]);
  const notes = [
    ...a.notes.map((note) => `A: ${note}`),
    ...b.notes.map((note) => `B: ${note}`),
    ...[...unread.values()].filter((found) => typeof found === 'string'),
    ...[...b.tensors].flatMap(([name, t]) => noteOn(name, a.tensors.get(name), t)),
  ];
  return { verdicts, notes, passed: verdicts.every(passed) };
}
