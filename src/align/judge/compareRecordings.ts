import { printable } from '../../io/names.ts';
import type { Arrays } from '../../io/numpy/arrays.ts';
import { formatShape, sameShape } from '../../tensor/shape.ts';
import { elementAt, elementType, type Tensor } from '../../tensor/tensor.ts';
import { type CloseTolerance, usualTolerance } from '../measure/allclose.ts';
import { isConstant } from '../measure/constant.ts';
import { type MeasureName, measures } from '../measure/measures.ts';
import { chosen, type NameChoice } from './chosen.ts';
import type { Expectation } from './expectation.ts';
import type { Sides } from './incomparable.ts';
import { type Failed, judge } from './judge.ts';
import { passed, type Verdict } from './verdict.ts';

/** Which tensors, and how. */
export interface CompareOptions extends NameChoice {
  readonly methods: readonly MeasureName[];
  /** Largest value that passes, for every method; without one, each has its usual. */
  readonly threshold?: number;
  /** For `allclose`; without one, what torch.testing.assert_close allows for the type of the elements. */
  readonly tolerance?: CloseTolerance;
}

/** What came of holding two recordings against each other. */
export interface Comparison {
  /** In the order of `order`; what only the other holds comes last. */
  readonly verdicts: readonly Verdict[];
  /** Whose order that is. */
  readonly order: 'A' | 'B';
  /** What one side lacks. */
  readonly missing: readonly string[];
  /** What a reader should know although it passed. */
  readonly notes: readonly string[];
  readonly passed: boolean;
}

/** For the diagnosis: the same, with A's tensors and what was expected of them where something failed. */
export interface ComparisonToDiagnose extends Comparison {
  readonly failed?: Failed;
}

/** The second side in the first one's shape, where both hold a single number. */
const asOneNumber = (a: Tensor | undefined, b: Tensor): Tensor =>
  a?.data.length === 1 && b.data.length === 1 ? { ...b, shape: a.shape } : b;

/** Where two shapes are taken for one. */
function shapeNote(name: string, a: Tensor | undefined, b: Tensor): string[] {
  if (a?.data.length !== 1 || b.data.length !== 1 || sameShape(a.shape, b.shape)) return [];
  return [
    `${printable(name)}: shape ${formatShape(a.shape)} against ${formatShape(b.shape)}, one number each`,
  ];
}

/** Why a tensor proves little although both sides hold it. */
const weakness = (a: Tensor | undefined, b: Tensor | undefined): string | undefined =>
  a && b && isConstant(a) && isConstant(b)
    ? `A is ${elementAt(a, 0)} everywhere, B ${elementAt(b, 0)}: that proves little`
    : undefined;

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

/** By type and name, as Python's safetensors writes whatever it is given: that says nothing of what came first. */
function isSorted({ tensors }: Arrays): boolean {
  const all = [...tensors];
  const types = all.map(([, t]) => elementType(t));
  const runs = types.filter((type, i) => type !== types[i - 1]).length;
  const ascending = all.every(
    ([name], i) => i === 0 || types[i] !== types[i - 1] || all[i - 1][0] < name,
  );
  return ascending && runs === new Set(types).size;
}

/** The part of a recording that is asked for. */
function partOf(arrays: Arrays, names: ReadonlySet<string>): Arrays {
  const kept = <T>(map: ReadonlyMap<string, T>): Map<string, T> =>
    new Map([...map].filter(([name]) => names.has(name)));
  return { ...arrays, tensors: kept(arrays.tensors), unread: kept(arrays.unread) };
}

const namesOf = ({ tensors, unread }: Arrays): string[] => [...tensors.keys(), ...unread.keys()];

/** In the order in which the first side has them, then the others. */
const inOrderOf = ({ tensors }: Arrays, expectations: readonly Expectation[]): Expectation[] => {
  const places = new Map([...tensors.keys()].map((name, i) => [name, i]));
  const place = ({ name }: Expectation): number => places.get(name) ?? places.size;
  return [...expectations].sort((p, q) => place(p) - place(q));
};

/**
 * Two recordings key by key: A judged by what B holds, by reprod_log's measures, to its digits, or by others. What
 * reprod_log lets pass fails here by name: a key on one side only, other shapes (nothing broadcasts or is transposed),
 * other dtypes, NaN and Inf, empty arrays. Arrays of no numbers pass only with the same bytes on both sides. One
 * liberty: a single number is a single number, whether a framework gives its loss the shape [] or [1]; a note says
 * so, and what the readers left out. Verdicts stand in B's order, or in A's where B's names are merely sorted. Throws
 * UsageError for a pattern that fits nothing.
 */
export function compareRecordings(a: Arrays, b: Arrays, options: CompareOptions): Comparison {
  const { failed: _, ...comparison } = compareToDiagnose(a, b, options);
  return comparison;
}

/** The same, with what a diagnosis needs. */
export function compareToDiagnose(
  a: Arrays,
  b: Arrays,
  options: CompareOptions,
): ComparisonToDiagnose {
  const names = [...new Set([...namesOf(b), ...namesOf(a)])];
  if (names.length === 0) return compared(a, b, options);
  const asked = new Set(chosen(names, options, 'A and B', 'tensor'));
  return compared(partOf(a, asked), partOf(b, asked), options);
}

function compared(a: Arrays, b: Arrays, options: CompareOptions): ComparisonToDiagnose {
  const unread = new Map(
    [...a.unread.keys(), ...b.unread.keys()].map((name) => [name, onUnread(name, a, b)]),
  );
  const recording = new Map([...a.tensors].filter(([name]) => !unread.has(name)));
  const limits = options.methods.map((method) => ({
    method,
    threshold: options.threshold ?? measures[method].usual,
  }));
  const measured = [...b.tensors].flatMap(([name, t]): Expectation[] => {
    const to = asOneNumber(a.tensors.get(name), t);
    const tolerance = options.tolerance ?? usualTolerance(t);
    const rule = { kind: 'measures', to, limits, tolerance, sides } as const;
    return unread.has(name) ? [] : [{ name, rule }];
  });
  const empty = a.tensors.size + b.tensors.size === 0;
  const refused = [...unread.values()].filter((found) => typeof found === 'object');
  const order = isSorted(b) && !isSorted(a) ? 'A' : 'B';
  const expectations = [
    ...(empty ? [nothing] : []),
    ...(order === 'A' ? inOrderOf(a, measured) : measured),
    ...refused,
  ];
  const { verdicts: judged } = judge({ recording, sides }, expectations);
  const verdicts = judged.map((verdict): Verdict => {
    const warning = weakness(a.tensors.get(verdict.name), b.tensors.get(verdict.name));
    return warning === undefined ? verdict : { ...verdict, warning };
  });
  const [inA, inB] = [new Set(namesOf(a)), new Set(namesOf(b))];
  const notes = [
    ...a.notes.map((note) => `A: ${note}`),
    ...b.notes.map((note) => `B: ${note}`),
    ...[...unread.values()].filter((found) => typeof found === 'string'),
    ...[...b.tensors].flatMap(([name, t]) => shapeNote(name, a.tensors.get(name), t)),
    ...verdicts.flatMap(({ name, warning }) => (warning ? [`${printable(name)}: ${warning}`] : [])),
  ];
  const missing = verdicts
    .map(({ name }) => name)
    .filter((name) => inA.has(name) !== inB.has(name));
  const right = verdicts.every(passed);
  const failed = right ? {} : { failed: { recording, expectations } };
  return { verdicts, order, missing, notes, passed: right, ...failed };
}
