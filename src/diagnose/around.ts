import { type Shape, sameShape, sizeOf } from '../tensor/shape.ts';
import { type Tensor, toFloat64 } from '../tensor/tensor.ts';
import { numberOf } from './layer.ts';
import { leftOf, type Numbers } from './numbers.ts';
import { withinStep } from './stepName.ts';
import type { Evidence, Held, Suspect } from './suspect.ts';

/** All of it, or undefined where the reference keeps a sample. */
export function wholeOf({ record, shape }: Held): Float64Array | undefined {
  return record.truth.data.length === sizeOf(shape) ? toFloat64(record.truth) : undefined;
}

/** Another tensor of the suspect's shape, at the places at which the suspect's truth is known. */
export function valuesAt(
  { at, shape }: Pick<Numbers, 'at' | 'shape'>,
  held: Held,
): Float64Array | undefined {
  if (!sameShape(held.shape, shape)) return undefined;
  const values = toFloat64(held.record.truth);
  if (values.length === at.length) return values;
  return values.length === sizeOf(shape) ? picked(values, at) : undefined;
}

export const picked = (values: Float64Array, at: Int32Array): Float64Array =>
  Float64Array.from(at, (position) => values[position]);

/** What our side computed under a name, where it lies as the reference's does. */
export function oursOf({ ours }: Evidence, { name, shape }: Held): Float64Array | undefined {
  const found: Tensor | undefined = ours(name);
  return found !== undefined && sameShape(found.shape, shape) ? toFloat64(found) : undefined;
}

/** What a tensor is computed from, as far as the reference holds it. */
export const sourcesOf = ({ name }: Held, { from, held }: Evidence): Held[] =>
  from(name).flatMap((source) => held(source) ?? []);

/** What the reference holds under a name in a shape: stages hold some weights whole, and as a row of elements. */
export function heldIn(evidence: Evidence, name: string, shape: Shape): Held | undefined {
  const found = evidence.held(name);
  if (found === undefined || sameShape(found.shape, shape)) return found;
  return evidence.alike(shape).find((other) => other.name === name);
}

/** The value that a gradient belongs to. Stages call a layer's output by the layer, recordings `NAME.output`. */
export const inputOf = ({ name }: Held, { held }: Evidence): Held | undefined =>
  held(name.replace(/\.grad$/, '')) ?? held(name.replace(/(\.output)?\.grad$/, ''));

/** A pass before another, as names have it: of `step1` the first, which has no word; before the first the start. */
function passBefore(when: string): string | undefined {
  const counted = /^(step|iter|after iter)(\d+)$/.exec(when);
  if (when === '') return 'initial/';
  if (counted === null) return undefined;
  const [, word, number] = counted;
  const before = Number(number) - 1;
  if (word === 'after iter' && before < 0) return 'initial/';
  return word === 'step' && before === 0 ? '' : `${word}${before}/`;
}

/** The same tensor a step before, or at the start; undefined where there is none. */
export function earlierOf(
  { name, shape }: Pick<Held, 'name' | 'shape'>,
  evidence: Evidence,
): Held | undefined {
  const { when, bare } = withinStep(name);
  const source = evidence.from(name).find((other) => withinStep(other).bare === bare);
  if (source !== undefined) return evidence.held(source);
  const pass = passBefore(when);
  return pass === undefined ? undefined : heldIn(evidence, `${pass}${bare}`, shape);
}

/** ‖ours − candidate‖ over the suspect's unit; infinite where it is hopeless. */
export const leftToOurs = (
  { ours, unit, limit }: Numbers,
  candidate: (i: number) => number,
): number => leftOf({ truth: ours, unit, limit }, candidate);

/** ‖ours − truth‖ over the suspect's unit. */
export function distanceOf({ ours, truth, unit }: Numbers): number {
  let squares = 0;
  for (let i = 0; i < truth.length; i++) squares += (ours[i] - truth[i]) ** 2;
  return Math.sqrt(squares / truth.length) / unit;
}

/** What leaves more than this of the difference, or more than this of the tensor, explains nothing. */
const mostOfDifference = 1 / 3;
const mostOfTensor = 0.1;

/** Whether what is left is small beside what there was to explain. */
export const explains = (numbers: Numbers, left: number, distance = distanceOf(numbers)): boolean =>
  left <= distance * mostOfDifference && left <= mostOfTensor;

/** A number that the suspect's layer is made with, by its keyword in PyTorch. */
export const settingOf = ({ what }: Suspect, key: string): number | undefined =>
  numberOf(what, key);
