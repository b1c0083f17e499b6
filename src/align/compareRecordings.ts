import { printable } from '../io/names.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { type Tensor, type TensorMap, toFloat64 } from '../tensor/tensor.ts';
import { compareMaps } from './compareMaps.ts';
import { isConstant } from './recorded.ts';
import { type ReprodMethod, reprodMeasures } from './reprodMeasures.ts';
import { check, passed, type Verdict } from './verdict.ts';

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
      `${printable(name)}: A is ${toFloat64(a)[0]} everywhere, B ${toFloat64(b)[0]}: that proves little`,
    ];
  }
  return [];
}

/**
 * Two recordings key by key, by reprod_log's measures and to its digits. What reprod_log lets pass fails
 * here by name: a key on one side only, other shapes (nothing broadcasts or is transposed), other dtypes,
 * NaN and Inf, empty arrays. One liberty: a single number is a single number, whether a framework gives its
 * loss the shape [] or [1]; a note says so.
 */
export function compareRecordings(
  a: TensorMap,
  b: TensorMap,
  { methods, threshold }: CompareOptions,
): Comparison {
  const second = new Map([...b].map(([name, t]) => [name, asOneNumber(a.get(name), t)]));
  const judge = (name: string) => {
    const measures = reprodMeasures(a.get(name)!, second.get(name)!);
    return methods.map((method) => check(method, measures[method], threshold));
  };
  const verdicts = compareMaps(a, second, judge, { ours: "A's", theirs: "B's" });
  const notes = [...b].flatMap(([name, t]) => noteOn(name, a.get(name), t));
  return { verdicts, notes, passed: verdicts.every(passed) };
}
