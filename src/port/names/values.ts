import { ruleFor } from '../../align/probes/rule.ts';
import type { Probe } from '../../align/reference/probe.ts';
import type { ProbeReference } from '../../align/reference/probeReference.ts';
import { type Moments, momentsOf, samplePositions } from '../../align/reference/samplePositions.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { offsetsOf, type Way, waysOf } from './ways.ts';

/** A probe and the numbers that ours are held against. */
export interface Theirs {
  readonly probe: Probe;
  /** Where it stands among the probes. */
  readonly index: number;
  readonly size: number;
  /** Where `values` lie in the whole tensor; everywhere where it is undefined. */
  readonly positions?: Int32Array;
  readonly values: Float64Array;
  readonly moments: Moments;
  /** The error up to which the judge takes ours for the same. */
  readonly limit: number;
  /** What an error of the whole is measured by. */
  readonly scale: number;
  /** What an error of `values` is measured by: of a sample, its own RMS, as the judge does. */
  readonly heldScale: number;
}

/** A tensor of the recording. */
export interface Ours {
  readonly name: string;
  readonly index: number;
  readonly tensor: Tensor;
  readonly values: ArrayLike<number>;
  readonly moments: Moments;
}

/** So many elements of a tensor tell it from others. */
const most = 4096;

/** Of integers, and of what a port is fed with: as far as float32 goes. */
const exact = 1e-6;

/** The numbers of a probe that are looked at, and where they lie. */
function heldOf(whole: Tensor, size: number, isSample: boolean) {
  if (isSample) {
    return { positions: samplePositions(size, whole.data.length), values: toFloat64(whole) };
  }
  if (size <= most) return { values: toFloat64(whole) };
  const positions = samplePositions(size, most);
  return { positions, values: picked(whole, positions) };
}

const rmsOf = (values: Float64Array): number =>
  Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

export function theirsOf(reference: ProbeReference, probe: Probe, index: number): Theirs {
  const rule = ruleFor(reference, probe, {});
  const size = sizeOf(probe.shape);
  const record = rule.kind === 'float64' ? rule.record : undefined;
  const tolerance = rule.kind === 'float64' ? rule.tolerance : undefined;
  const whole = record === undefined ? reference.whole(probe) : record.truth;
  const moments = record?.moments ?? momentsOf(whole);
  const held = heldOf(whole, size, record?.moments !== undefined);
  const scale = tolerance?.scale?.value;
  return {
    probe,
    index,
    size,
    moments,
    ...held,
    limit: tolerance?.relativeL2 ?? exact,
    scale: scale ?? Math.sqrt(moments.sumOfSquares / size),
    heldScale: scale ?? rmsOf(held.values),
  };
}

const picked = (t: Tensor, positions: Int32Array): Float64Array => {
  const all = numbersOf(t);
  return Float64Array.from(positions, (at) => all[at]);
};

/** Numbers as they lie in the file, where JavaScript reads them so: a large recording is not copied. */
const numbersOf = (t: Tensor): ArrayLike<number> =>
  t.dtype === 'float16' || t.dtype === 'int64' || t.dtype === 'uint64' ? toFloat64(t) : t.data;

export const oursOf = (name: string, tensor: Tensor, index: number): Ours => ({
  name,
  index,
  tensor,
  values: numbersOf(tensor),
  moments: momentsOf(tensor),
});

/** Whether the moments of the two are as near as an error of `error` allows, whatever the order of axes. */
export function mayFit({ moments: a }: Ours, theirs: Theirs, error: number): boolean {
  const { moments: b, size: n, scale } = theirs;
  // A sample may show less than the error of the whole.
  const each = 4 * error * scale;
  const rms = (m: Moments): number => Math.sqrt(m.sumOfSquares / n);
  return (
    Math.abs(rms(a) - rms(b)) <= each &&
    Math.abs(a.min - b.min) <= Math.sqrt(n) * each &&
    Math.abs(a.max - b.max) <= Math.sqrt(n) * each &&
    Math.abs(a.sum - b.sum) <= n * each
  );
}

/** Ways between shapes, and where they lead, once for all tensors of them. */
export interface Ways {
  readonly between: (ours: Ours, theirs: Theirs) => readonly Way[];
  readonly offsets: (way: Way, theirs: Theirs) => Int32Array;
}

/** What two axes of no weight are called where a reference does not say it: a layout of these letters is understood. */
const axesOf = ({ axes, kind, shape }: Probe): string | undefined =>
  axes ?? (shape.length === 2 && /output|input|prediction/.test(kind) ? 'NC' : undefined);

export function openWays(): Ways {
  const known = new Map<string, readonly Way[]>();
  const led = new Map<Way, Map<number, Int32Array>>();
  return {
    between({ tensor: { shape } }, { probe }) {
      const axes = axesOf(probe);
      const key = `${shape.join()}:${probe.shape.join()}:${axes}`;
      const found = known.get(key) ?? waysOf(shape, probe.shape, axes);
      known.set(key, found);
      return found;
    },
    offsets(way, { positions, values }) {
      const byCount = led.get(way) ?? new Map<number, Int32Array>();
      led.set(way, byCount);
      const found = byCount.get(values.length) ?? offsetsOf(way, positions ?? values.length);
      byCount.set(values.length, found);
      return found;
    },
  };
}

/**
 * The RMS of the difference in units of the probe's scale, on the elements that are held; Infinity as soon as it is
 * seen to be beyond `bound`.
 */
export function errorOf(
  ours: Ours,
  { values: truth, heldScale }: Theirs,
  offsets: Int32Array,
  bound = Infinity,
): number {
  const found = ours.values;
  const most = (bound * heldScale) ** 2 * truth.length;
  let squares = 0;
  for (let i = 0; i < truth.length; i++) {
    const d = found[offsets[i]] - truth[i];
    squares += d * d;
    if (squares > most) return Infinity;
  }
  return squares === 0 ? 0 : Math.sqrt(squares / truth.length) / heldScale;
}

/** So many elements are enough to see whether two tensors have to do with each other. */
const few = 512;

/** Of n random elements, nearly always less than this share over n is explained by chance. */
const chance = 9;

/**
 * 0 to 1: how much of the probe a multiple of ours explains. A gradient of another scale, or an output in which some
 * elements are wrong, is still near; tensors that have nothing to do with each other are not.
 */
export function closeness(ours: Ours, theirs: Theirs, offsets: Int32Array): number {
  const [found, truth] = [ours.values, theirs.values];
  const n = Math.min(truth.length, few);
  const step = truth.length / n;
  let [x, y, xx, yy, xy] = [0, 0, 0, 0, 0];
  for (let k = 0; k < n; k++) {
    const i = Math.floor(k * step);
    const [a, b] = [found[offsets[i]], truth[i]];
    x += a;
    y += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  const [varX, varY, cov] = [xx - (x * x) / n, yy - (y * y) / n, xy - (x * y) / n];
  if (n <= 2 * chance || !(varX > 1e-12 * xx) || !(varY > 1e-12 * yy)) {
    const error = errorOf(ours, theirs, offsets);
    return Number.isNaN(error) ? 0 : Math.max(0, 1 - error);
  }
  const explained = (cov * cov) / (varX * varY);
  return Math.max(0, (explained - chance / n) / (1 - chance / n) || 0);
}
