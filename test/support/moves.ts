import type { CheckMethod } from '../../src/align/judge/verdict.ts';
import { type Tensor, tensor, toFloat64, zeros } from '../../src/tensor/tensor.ts';
import {
  type Different,
  type FarFromPyTorch,
  type FarFromTruth,
  type Gate,
  sampledAt,
  type Ulps,
} from './gate.ts';

/** A tensor that was changed, and what a check must say of it. */
export interface Move {
  readonly what: string;
  /** To be judged before the next move is asked for, which changes it back. */
  readonly changed: Tensor;
  /** It must fail where the value is beyond the threshold; where nothing can be measured, whatever is said. */
  readonly reads?: {
    readonly method: CheckMethod;
    readonly value: number;
    readonly threshold: number;
  };
  /** The one element that was changed. */
  readonly at?: number;
}

/** Shares of a threshold: within it, and beyond it to both sides. */
const shares = [0.9, 1.5, -1.5];

/** Of tensors this large one move stands for all that only the whole tells: every look at one takes time. */
const large = 2 ** 19;

const like = ({ dtype, shape }: Tensor, data: ArrayLike<number>): Tensor =>
  dtype === 'float32'
    ? tensor(dtype, shape, Float32Array.from(data))
    : tensor('float64', shape, Float64Array.from(data));

/**
 * What is not off at all: what is expected, and where the reference holds a sample of the truth, `ours` around it.
 * Never the memory of either.
 */
export function exact(gate: Gate, ours: Tensor): Tensor {
  if (gate.by === 'equal') return { ...gate.to, data: gate.to.data.slice() } as Tensor;
  if (gate.by === 'ulp') return like(ours, toFloat64(ours));
  if (gate.by !== 'truth') return like(gate.to, toFloat64(gate.to));
  if (gate.stats === undefined) return tensor('float64', gate.shape, gate.truth.slice());
  const data = Float64Array.from(toFloat64(ours));
  for (const [k, at] of sampledAt(data.length, gate.truth.length).entries())
    data[at] = gate.truth[k];
  return tensor('float64', ours.shape, data);
}

/** Changes one element for as long as the move is looked at. */
function* one(whole: Tensor, at: number, value: number, move: Omit<Move, 'changed'>) {
  const data = whole.data as Float64Array;
  const before = data[at];
  data[at] = value;
  yield { ...move, changed: whole } as Move;
  data[at] = before;
}

function* fromTruth(gate: FarFromTruth, whole: Tensor): Generator<Move> {
  const { truth, norm, one: own, bar, measure, mean, stats } = gate;
  const data = whole.data as Float64Array;
  const sampled = stats && sampledAt(data.length, truth.length);
  // The same place may be sampled twice where samples are dense.
  const once = (k: number): boolean =>
    sampled === undefined || sampled.indexOf(sampled[k]) === sampled.lastIndexOf(sampled[k]);
  let k = Math.floor(truth.length * 0.37);
  while (!once(k)) k++;
  const at = sampled?.[k] ?? k;
  const moved = (method: CheckMethod, share: number, threshold: number, unit: number) =>
    one(whole, at, data[at] + share * threshold * unit * norm, {
      what: `${share} × its ${method}`,
      reads: { method, value: Math.abs(share) * threshold, threshold },
      at,
    });
  for (const share of shares) {
    yield* moved(measure, share, bar, 1);
    if (own !== undefined) yield* moved('ratio', share, 4, own);
  }
  // Three times the truth: an error relative to our own norm would be less than one.
  yield* moved(measure, 3 / bar, bar, 1);
  yield* one(whole, at, Number.NaN, { what: 'NaN' });
  if (mean !== undefined) yield* meanMoves(mean);
  if (sampled !== undefined && measure !== 'scaled') {
    yield* hiddenMoves(whole, new Set(sampled), stats!, bar);
  }
}

function* meanMoves({ to, threshold }: Omit<FarFromPyTorch, 'by'>): Generator<Move> {
  const values = toFloat64(to);
  for (const share of shares) {
    const off = values.map((x, i) => x + (i % 3 === 0 ? share : -share) * threshold);
    const changed = like(to, off);
    const moved = toFloat64(changed);
    const value = moved.reduce((sum, x, i) => sum + Math.abs(x - values[i]), 0) / moved.length;
    yield { what: `${share} × its mean`, changed, reads: { method: 'mean', value, threshold } };
  }
}

/** Of all that is a number: the rest is NaN where its place is about to be taken. */
function statsOf(data: Float64Array): [sum: number, squares: number, least: number, most: number] {
  let [sum, squares, least, most] = [0, 0, Infinity, -Infinity];
  for (let i = 0; i < data.length; i++) {
    const x = data[i];
    if (Number.isNaN(x)) continue;
    sum += x;
    squares += x * x;
    if (x < least) least = x;
    if (x > most) most = x;
  }
  return [sum, squares, least, most];
}

/** Elements that the reference does not hold, and what becomes of each when `room` is used up by `share`. */
interface Hidden {
  readonly what: string;
  readonly places: readonly number[];
  readonly shares: readonly number[];
  readonly become: (x: number, share: number) => number;
}

/** Places that the reference does not hold, at one end of the values: those beyond a limit, and the last one. */
function edgeOf(data: Float64Array, sampled: ReadonlySet<number>, sign: 1 | -1, limit: number) {
  const most = 1000;
  const beyond: number[] = [];
  let last = -1;
  for (let i = 0; i < data.length; i++) {
    const x = sign * data[i];
    if (x > limit && beyond.length < most) beyond.push(i);
    if ((last < 0 || x > sign * data[last]) && !sampled.has(i)) last = i;
  }
  const free = beyond.length < most && !beyond.some((i) => sampled.has(i));
  return { drawn: free ? beyond : [], last };
}

/** Moves that only the sum, the sum of squares and the extremes of the whole can tell. */
function* hiddenMoves(
  whole: Tensor,
  sampled: ReadonlySet<number>,
  truth: Float64Array,
  bar: number,
): Generator<Move> {
  const data = whole.data as Float64Array;
  const size = data.length;
  const norm = Math.sqrt(truth[1]);
  const room = [
    bar * norm * Math.sqrt(size),
    (2 * bar + bar * bar) * truth[1],
    bar * norm,
    bar * norm,
  ];
  const now = statsOf(data);
  const step = Math.max(1, Math.floor(size / 8192));
  const spread = Array.from({ length: Math.floor(size / step) }, (_, j) => j * step).filter(
    (i) => !sampled.has(i),
  );
  const squares = spread.reduce((sum, i) => sum + data[i] ** 2, 0);
  const missing = (which: number, share: number): number =>
    truth[which] + share * room[which] - now[which];
  const sum: Hidden = {
    what: 'sum',
    places: spread,
    shares,
    become: (x, share) => x + missing(0, share) / spread.length,
  };
  const squared: Hidden = {
    what: 'sum of squares',
    places: spread,
    shares,
    become: (x, share) => x * Math.sqrt(1 + missing(1, share) / squares),
  };
  const edges = ([2, 3] as const).flatMap((which): Hidden[] => {
    const sign = which === 2 ? -1 : 1;
    const at = (share: number): number => truth[which] + sign * share * room[which];
    const { drawn, last } = edgeOf(data, sampled, sign, sign * at(-1.5));
    const what = sign < 0 ? 'minimum' : 'maximum';
    const out = (_: number, share: number): number => at(share);
    const into = (x: number, share: number): number => sign * Math.min(sign * x, sign * at(-share));
    return [
      { what: `${what}, outwards`, places: [last], shares: [0.9, 1.5], become: out },
      { what: `${what}, inwards`, places: drawn, shares: [0.9, 1.5], become: into },
    ];
  });
  const kinds = size < large ? [sum, squared, ...edges] : [{ ...sum, shares: [0.9, -1.5] }];
  for (const { what, places, shares, become } of kinds) {
    if (places.length === 0) continue;
    const before = places.map((i) => data[i]);
    for (const i of places) data[i] = Number.NaN;
    const rest = statsOf(data);
    for (const share of shares) {
      const after = Float64Array.from(before, (x) => become(x, share));
      for (const [j, i] of places.entries()) data[i] = after[j];
      const moved = statsOf(after);
      const found = [
        rest[0] + moved[0],
        rest[1] + moved[1],
        Math.min(rest[2], moved[2]),
        Math.max(rest[3], moved[3]),
      ];
      const value = Math.max(...found.map((x, j) => Math.abs(x - truth[j]) / room[j]));
      const reads = { method: 'moments', value, threshold: 1 } as const;
      yield { what: `${share} × its ${what}`, changed: whole, reads };
    }
    for (const [j, i] of places.entries()) data[i] = before[j];
  }
  yield* one(whole, spread[0], Number.NaN, { what: 'NaN that is not sampled' });
}

function* ulpMoves({ scales, threshold }: Required<Ulps>, whole: Tensor): Generator<Move> {
  const data = whole.data as Float32Array;
  const exponent = (i: number): number => Math.floor(Math.log2(scales[i]));
  // Where our own count of the scale may be another power of two, its unit is not told.
  const clear = [...data.keys()].filter((i) => {
    const share = scales[i] / 2 ** exponent(i);
    return scales[i] > 1e-30 && share > 1.01 && share < 1.99;
  });
  if (clear.length === 0) return;
  const most = (f: (i: number) => number): number =>
    clear.reduce((best, i) => (f(i) > f(best) ? i : best));
  const places = [most((i) => scales[i] / Math.abs(data[i])), most((i) => -scales[i])];
  for (const at of places) {
    const unit = 2 ** (exponent(at) - 23);
    for (const share of shares) {
      const moved = Math.fround(data[at] + share * threshold * unit);
      const reads = { method: 'ulp', value: Math.abs(moved - data[at]) / unit, threshold } as const;
      yield* one(whole, at, moved, { what: `${share} × its ulp at ${at}`, reads });
    }
  }
  yield* one(whole, places[0], Number.NaN, { what: 'NaN' });
}

function* l2Moves({ to, threshold }: FarFromPyTorch, whole: Tensor): Generator<Move> {
  const values = toFloat64(to);
  const norm = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
  const at = Math.floor(values.length * 0.37);
  for (const share of [...shares, 3 / threshold]) {
    const moved = Math.fround(values[at] + share * threshold * norm);
    const value = Math.abs(moved - values[at]) / norm;
    const reads = { method: 'relative l2', value, threshold } as const;
    yield* one(whole, at, moved, { what: `${share} × its relative l2`, reads, at });
  }
}

/** The nearest other value. */
function next(x: number | bigint, { dtype }: Tensor): number | bigint {
  if (typeof x === 'bigint') return x + 1n;
  if (dtype !== 'float64') return x === 0 ? 1 : x - 1;
  const bits = new BigInt64Array(Float64Array.of(x).buffer);
  bits[0] += 1n;
  return new Float64Array(bits.buffer)[0];
}

function* equalMoves({ to, within }: Different): Generator<Move> {
  const reads = { method: 'equal', value: 1, threshold: 0 } as const;
  const { shape, data } = to;
  yield { what: 'nothing', changed: to, reads: { ...reads, value: 0 } };
  if (within !== undefined) {
    for (const share of shares) {
      const off = toFloat64(to).map((x) => x + share * within);
      const value = Math.abs(share) < 1 ? 0 : off.length;
      yield {
        what: `${share} × what is equal`,
        changed: like(to, off),
        reads: { ...reads, value },
      };
    }
    return;
  }
  for (const at of new Set([0, Math.floor(data.length / 2), data.length - 1])) {
    const changed = data.slice();
    changed[at] = next(data[at], to) as never;
    yield { what: `element ${at}`, changed: { ...to, data: changed } as Tensor, reads };
  }
  if (shape.length === 0) return;
  const [rows, ...rest] = shape;
  const width = data.length / rows;
  const short = { ...to, shape: [rows - 1, ...rest], data: data.slice(width) } as Tensor;
  const last = { ...short, data: data.slice(0, -width) } as Tensor;
  yield { what: 'no last row', changed: last, reads };
  const long = zeros(to.dtype, [rows + 1, ...rest]);
  long.data.set(data as never);
  long.data.set(data.slice(-width) as never, data.length);
  yield { what: 'a row more', changed: long, reads };
}

/** All that can be wrong with a tensor, from what is exact on. */
export function* movesOf(gate: Gate, whole: Tensor): Generator<Move> {
  if (gate.by === 'truth') yield* fromTruth(gate, whole);
  else if (gate.by === 'ulp') yield* ulpMoves(gate as Required<Ulps>, whole);
  else if (gate.by === 'equal') yield* equalMoves(gate);
  else {
    yield* gate.by === 'mean' ? meanMoves(gate) : l2Moves(gate, whole);
    yield* one(whole, 0, Number.NaN, { what: 'NaN' });
  }
}
