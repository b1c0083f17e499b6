import { printable } from '../../io/names.ts';
import { formatShape } from '../../tensor/shape.ts';
import { elementType } from '../../tensor/tensor.ts';
import { counted } from '../../words.ts';
import { type Fit, isEqual } from './fits.ts';
import type { Sureness } from './proposal.ts';
import type { Ours, Theirs } from './values.ts';
import type { Way } from './ways.ts';

/** How alike the names of a tensor and a probe are, 0 to 1. */
export type Alike = (ours: Ours, theirs: Theirs) => number;

/** From here on a name alone says which probe is meant. */
export const clearName = 0.8;
/** From here on it says so together with the shape. */
export const goodName = 0.6;
/** By so much a name must be more alike than the next. */
export const margin = 0.05;
/** From here on the values of two tensors have to do with each other, and from there on clearly. */
export const [related, closelyRelated] = [0.5, 0.9];

/** Why a tensor is taken for a probe, and how sure that is. */
export interface Evidence {
  readonly how: Sureness;
  readonly because: string;
}

export const shortError = (x: number): string => (x === 0 ? '0' : x.toExponential(1));

export const floats = (dtype: string): boolean => dtype.includes('float');

/** `, axes NHWC → NCHW`; nothing where they lie as PyTorch's do. */
function axesSaid(way: Way | undefined, { probe }: Theirs): string {
  if (way?.reshaped === true) return `, but record it as ${formatShape(probe.shape)}`;
  if (way?.layout === undefined) return '';
  const [from, to = way.theirs] = way.layout.split('->');
  return `, axes ${from} → ${to}`;
}

function typesSaid({ tensor }: Ours, { probe }: Theirs): string {
  const ours = elementType(tensor);
  return floats(ours) === floats(probe.dtype) ? '' : `, but ${ours} against ${probe.dtype}`;
}

/** Whose values they are instead, where that is known. */
const whose = (fitted: Theirs | undefined): string =>
  fitted === undefined ? '' : `, they are those of ${printable(fitted.probe.name)}: look here`;

/** What a tensor whose values fit a probe was chosen from, and how it is to be read. */
interface Choice {
  /** Fits that share its tensor or its probe. */
  readonly rivals: readonly Fit[];
  /** Another probe that has just these values. */
  readonly fitted: Theirs | undefined;
  readonly way: Way;
}

/** Of a tensor whose values fit a probe. */
export function byValue(fit: Fit, { rivals, fitted, way }: Choice, alike: Alike): Evidence {
  const { ours, theirs, error } = fit;
  const equal = isEqual(fit);
  const values = equal
    ? `values equal to ${shortError(error)}`
    : `values near, ${shortError(error)} apart${whose(fitted)}`;
  const said = `${values}${axesSaid(way, theirs)}${typesSaid(ours, theirs)}`;
  if (rivals.length === 0) {
    return { how: equal && way.reshaped !== true ? 'sure' : 'likely', because: said };
  }
  const next = Math.max(...rivals.map((rival) => alike(rival.ours, rival.theirs)));
  const many = counted(rivals.length + 1, 'tensor');
  return alike(ours, theirs) >= next + margin
    ? { how: 'likely', because: `${said}; ${many} fit, the name decides` }
    : { how: 'guess', because: `ambiguous: ${many} fit, taken in order; ${said}` };
}

/** Of a tensor whose values do not fit: what it was chosen by, and whose values they are where that is known. */
export function byLikeness(
  ours: Ours,
  theirs: Theirs,
  found: { near: number; alike: number; error: number; way: Way; fitted: Theirs | undefined },
): Evidence {
  const { near, alike, error, way, fitted } = found;
  const named = alike >= goodName;
  const unnamed = near >= related ? 'the nearest in value' : 'only shape and order';
  const values = Number.isNaN(error)
    ? 'its values are not all numbers'
    : `values differ by ${shortError(error)}`;
  return {
    how: fitted === undefined && (named || near >= closelyRelated) ? 'likely' : 'guess',
    because: `${named ? 'name and shape' : unnamed}; ${values}${whose(fitted) || ': look here'}${axesSaid(way, theirs)}${typesSaid(ours, theirs)}`,
  };
}

export const byNameOnly = ({ tensor }: Ours, { probe }: Theirs): Evidence => ({
  how: 'guess',
  because: `only the name; shape ${formatShape(tensor.shape)} against ${formatShape(probe.shape)}: look here`,
});
