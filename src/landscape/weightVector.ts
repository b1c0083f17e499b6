import type { Module } from '../nn/module.ts';
import { sizeOf } from '../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../tensor/tensor.ts';

/**
 * A point in weight space: a model's parameters in float32, in the model's order. Running statistics are no part of it:
 * they follow from the parameters and the images.
 */
export type WeightVector = ReadonlyMap<string, Tensor<'float32'>>;

const parametersOf = (model: Module) => model.state.filter(({ role }) => role === 'parameter');

/** How many numbers a model's vector holds. */
export const vectorSize = (model: Module): number =>
  parametersOf(model).reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** The parameters among a model's weights and buffers. */
export const vectorOf = (model: Module, weights: TensorMap): WeightVector =>
  new Map(
    parametersOf(model).map(({ name, shape }) => [
      name,
      tensor('float32', shape, toFloat32(weights.get(name)!)),
    ]),
  );

/** `values` (as many as `vectorSize`) cut into the model's parameters, in their order. */
export function vectorFrom(model: Module, values: Float32Array): WeightVector {
  let at = 0;
  return new Map(
    parametersOf(model).map(({ name, shape }) => {
      const from = at;
      at += sizeOf(shape);
      return [name, tensor('float32', shape, values.subarray(from, at))];
    }),
  );
}

export type Term = readonly [factor: number, vector: WeightVector];

/** The sum of vectors times their factors, added in float64 and rounded once to float32. */
export function combination(terms: readonly Term[]): WeightVector {
  const used = terms.filter(([factor]) => factor !== 0);
  const [[, first]] = terms;
  return new Map(
    [...first].map(([name, { shape }]) => {
      const parts = used.map(([factor, vector]) => [factor, vector.get(name)!.data] as const);
      const sum = new Float32Array(sizeOf(shape));
      for (let i = 0; i < sum.length; i++) {
        let value = 0;
        for (const [factor, data] of parts) value += factor * data[i];
        sum[i] = value;
      }
      return [name, tensor('float32', shape, sum)];
    }),
  );
}

/** The inner product of two such sums, in float64. */
export function innerProduct(a: readonly Term[], b: readonly Term[]): number {
  let sum = 0;
  for (const name of a[0][1].keys()) {
    const [as, bs] = [a, b].map((terms) =>
      terms.map(([factor, vector]) => [factor, vector.get(name)!.data] as const),
    );
    const size = as[0][1].length;
    for (let i = 0; i < size; i++) {
      let [left, right] = [0, 0];
      for (const [factor, data] of as) left += factor * data[i];
      for (const [factor, data] of bs) right += factor * data[i];
      sum += left * right;
    }
  }
  return sum;
}

/** Its Euclidean length, in float64. */
export const lengthOf = (terms: readonly Term[]): number => Math.sqrt(innerProduct(terms, terms));

/** The Euclidean distance of two vectors. */
export const distance = (a: WeightVector, b: WeightVector): number =>
  lengthOf([
    [1, a],
    [-1, b],
  ]);
