import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { referenceRemedy } from './referenceRemedy.ts';

/** Prefix of the members that hold many arrays in one: hundreds of headers would outweigh what they head. */
const prefix = 'packed/';
const indexKey = `${prefix}index`;

const indexSchema = z.array(
  z.tuple([z.string(), z.enum(['float32', 'float64']), z.array(z.int().min(0))]),
);

/**
 * A file's arrays with the packed ones taken apart: `packed/index` is JSON in bytes, a list of [key, dtype,
 * shape]; `packed/float32` and `packed/float64` hold their elements one after the other. A file without an
 * index is given back as it is. Throws InputError, naming `where`, when index and elements do not fit.
 */
export function unpacked(arrays: TensorMap, where: string): TensorMap {
  const index = arrays.get(indexKey);
  if (index === undefined) return arrays;
  const damaged = (what: string): InputError =>
    new InputError(`its packed arrays ${what}`, { where, fix: referenceRemedy(where) });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(Uint8Array.from(index.data, Number)));
  } catch {
    throw damaged('have an index that is not JSON');
  }
  const entries = indexSchema.safeParse(json);
  if (!entries.success) throw damaged('have no usable index');

  const all = new Map([...arrays].filter(([key]) => !key.startsWith(prefix)));
  const taken = { float32: 0, float64: 0 };
  for (const [key, dtype, shape] of entries.data) {
    if (all.has(key)) throw damaged(`hold ${key} twice`);
    const size = sizeOf(shape);
    const elements = arrays.get(prefix + dtype)?.data;
    const from = taken[dtype];
    taken[dtype] += size;
    if (elements === undefined || taken[dtype] > elements.length)
      throw damaged(`end before ${key}`);
    const part = elements.slice(from, taken[dtype]);
    all.set(key, tensor(dtype, shape, part as Float32Array & Float64Array));
  }
  for (const dtype of ['float32', 'float64'] as const) {
    const held: Tensor | undefined = arrays.get(prefix + dtype);
    if (held !== undefined && held.data.length !== taken[dtype]) {
      throw damaged(`hold more ${dtype} than their index says`);
    }
  }
  return all;
}
