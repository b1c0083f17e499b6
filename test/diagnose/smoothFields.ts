import { randomNumbers } from '../../src/port/testdata/randomReference.ts';
import { type Shape, sizeOf } from '../../src/tensor/shape.ts';

type Field = (shape: Shape, next: () => number) => Float64Array;

/** At most so many periods over an axis. */
const mostPeriods = 3;

/** A sum of cosines between 0 and 1. */
function curve(count: number, periods: number, next: () => number): (at: number) => number {
  const waves = Array.from({ length: count }, () => ({
    weight: next(),
    turns: next() * periods,
    phase: next() * 2 * Math.PI,
  }));
  return (at) =>
    waves.reduce(
      (sum, { weight, turns, phase }) => sum + weight * Math.cos(2 * Math.PI * turns * at + phase),
      0,
    );
}

const overFlatIndex: Field = (shape, next) => {
  const n = sizeOf(shape);
  const f = curve(4, 2 * mostPeriods, next);
  return Float64Array.from({ length: n }, (_, i) => f(i / n));
};

/** A curve along every axis: their sum, or their product. */
const overAxes =
  (together: (a: number, b: number) => number): Field =>
  (shape, next) => {
    const axes = shape.map((extent, k) => ({
      extent,
      stride: sizeOf(shape.slice(k + 1)),
      f: curve(2, mostPeriods, next),
    }));
    return Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
      axes
        .map(({ extent, stride, f }) => f((Math.floor(i / stride) % extent) / extent))
        .reduce(together),
    );
  };

/** White noise, blurred over a part of the flat index. */
const blurred: Field = (shape, next) => {
  const n = sizeOf(shape);
  const noise = randomNumbers(n, Math.floor(next() * 2 ** 31));
  const width = Math.max(2, Math.round(n * (0.02 + 0.1 * next())));
  const kernel = Array.from({ length: 2 * width + 1 }, (_, k) =>
    Math.exp(-4.5 * ((k - width) / width) ** 2),
  );
  return noise.map((_, i) =>
    kernel.reduce((sum, weight, k) => sum + weight * (noise[i + k - width] ?? 0), 0),
  );
};

const fields: readonly Field[] = [
  overFlatIndex,
  overAxes((a, b) => a + b),
  overAxes((a, b) => a * b),
  blurred,
];

const rms = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0) / values.length);

/** Of RMS 1, and nowhere near the same everywhere. */
function fieldOf(shape: Shape, next: () => number): Float64Array {
  for (;;) {
    const raw = fields[Math.floor(next() * fields.length)](shape, next);
    const size = rms(raw);
    const mean = raw.reduce((sum, x) => sum + x, 0) / raw.length;
    if (rms(raw.map((x) => x - mean)) > 0.3 * size) return raw.map((x) => x / size);
  }
}

/** How a smooth field is brought into a tensor. */
const ways = ['multiplied', 'added', 'both'] as const;

export interface Perturbed {
  readonly values: Float32Array;
  /** `multiplied by a field of 1.2e-3` */
  readonly what: string;
}

/** The numbers, perturbed smoothly by 1e-4 to 1e-1 of themselves or of their size. */
export function perturbed(values: Float32Array, shape: Shape, next: () => number): Perturbed {
  const size = 10 ** (-4 + 3 * next());
  const way = ways[Math.floor(next() * ways.length)];
  const [f, g] = [fieldOf(shape, next), fieldOf(shape, next)];
  const scale = size * rms(values);
  const [times, plus] = [way === 'added' ? 0 : size, way === 'multiplied' ? 0 : scale];
  return {
    values: values.map((x, i) => x * (1 + times * f[i]) + plus * g[i]),
    what: `${way}, ${size.toExponential(1)}`,
  };
}
