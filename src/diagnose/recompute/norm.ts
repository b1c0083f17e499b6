import { type Shape, sizeOf } from '../../tensor/shape.ts';

/** A layer that subtracts a mean, divides by a deviation, and then scales and moves. */
export interface Norm {
  /** For every element of the input, flat: of which group the statistics are. */
  readonly group: Int32Array;
  readonly groups: number;
  /** Elements in a group. */
  readonly count: number;
  /** Where an element's scale and bias stand in the layer's weight and bias. */
  readonly place: Int32Array;
  /** Whether the mean is taken away; RMSNorm does not. */
  readonly centred: boolean;
}

const kind = /^(?:Sync)?(Batch|Layer|Group|Instance|RMS)Norm\w*\((?:\(([\d, ]+)\)|(\d+))?/;

/** What of a layer's words says that it is a norm, and which: `BatchNorm2d(8, eps=1e-05, …)`. */
export function normOf(what: string | undefined, shape: Shape): Norm | undefined {
  const found = what === undefined ? null : kind.exec(what);
  if (found === null) return undefined;
  const [, name, dims, first] = found;
  if (name === 'Layer' || name === 'RMS') {
    const inner = dims?.split(',').filter((d) => d.trim() !== '').length ?? 1;
    const size = sizeOf(shape.slice(shape.length - inner));
    return byGroup(
      shape,
      sizeOf(shape) / size,
      (flat) => Math.floor(flat / size),
      (flat) => flat % size,
      name === 'Layer',
    );
  }
  if (shape.length < 2) return undefined;
  const [, channels] = shape;
  const stride = sizeOf(shape.slice(2));
  const channelOf = (flat: number): number => Math.floor(flat / stride) % channels;
  const imageOf = (flat: number): number => Math.floor(flat / (stride * channels));
  if (name === 'Batch') return byGroup(shape, channels, (flat) => channelOf(flat), channelOf);
  const parts = name === 'Instance' ? channels : Number(first);
  if (!(parts > 0) || channels % parts !== 0) return undefined;
  return byGroup(
    shape,
    shape[0] * parts,
    (flat) => imageOf(flat) * parts + Math.floor((channelOf(flat) * parts) / channels),
    channelOf,
  );
}

function byGroup(
  shape: Shape,
  groups: number,
  groupOf: (flat: number) => number,
  placeOf: (flat: number) => number,
  centred = true,
): Norm {
  const size = sizeOf(shape);
  const [group, place] = [new Int32Array(size), new Int32Array(size)];
  for (let i = 0; i < size; i++) [group[i], place[i]] = [groupOf(i), placeOf(i)];
  return { group, groups, count: size / groups, place, centred };
}

/** What is taken away from every group, and the square of what it is divided by, without epsilon. */
export interface Statistics {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** A group's own: mean and biased variance, or zero and the mean square. */
export function statisticsOf(
  { group, groups, count }: Norm,
  x: Float64Array,
  centred: boolean,
): Statistics {
  const [mean, variance] = [new Float64Array(groups), new Float64Array(groups)];
  if (centred) for (let i = 0; i < x.length; i++) mean[group[i]] += x[i] / count;
  for (let i = 0; i < x.length; i++) variance[group[i]] += (x[i] - mean[group[i]]) ** 2 / count;
  return { mean, variance };
}
