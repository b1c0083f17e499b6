import { UsageError } from '../errors.ts';
import { decodeStored, storedTypes } from '../io/torch/storedType.ts';
import { type Shape, sizeOf } from '../tensor/shape.ts';
import { type DataOf, type DType, type Tensor, tensor, zeros } from '../tensor/tensor.ts';

/** One element as JavaScript has it. */
export type ElementValue = number | bigint | boolean;

/** Elements in a row, in C (row-major) order. */
export type ElementArray = DataOf[DType] | Uint8ClampedArray | readonly ElementValue[];

/**
 * Numbers beside their shape; `dtype` where the array's class does not say it: `float16` or `bfloat16` in a Uint16Array,
 * `bool` in bytes, any type in a plain list.
 */
export interface PlainTensor {
  readonly data: ElementArray;
  readonly shape?: Shape;
  readonly dtype?: string;
}

/** As onnxruntime has it: `data` throws while it is on a device. */
export interface OrtTensor {
  readonly dims: readonly number[];
  readonly type: string;
  readonly data: unknown;
  readonly getData?: () => Promise<unknown>;
}

/** As TensorFlow.js has it. */
export interface TfjsTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly dataSync: () => unknown;
  readonly data: () => Promise<unknown>;
}

/** A number, or lists of numbers as deep as the tensor has axes. */
export type NestedElements = ElementValue | readonly NestedElements[];

/** What a port may hand over: an engine's tensor, numbers beside their shape, nested lists, a number. */
export type TensorLike =
  | Tensor
  | PlainTensor
  | OrtTensor
  | TfjsTensor
  | ElementArray
  | NestedElements;

const classes: readonly (readonly [new (n: number) => DataOf[DType] | Uint8ClampedArray, DType])[] =
  [
    [Float32Array, 'float32'],
    [Float64Array, 'float64'],
    [Int8Array, 'int8'],
    [Int16Array, 'int16'],
    [Int32Array, 'int32'],
    [BigInt64Array, 'int64'],
    [Uint8Array, 'uint8'],
    [Uint8ClampedArray, 'uint8'],
    [Uint16Array, 'uint16'],
    [Uint32Array, 'uint32'],
    [BigUint64Array, 'uint64'],
  ];

const noTensor = (where: string): UsageError =>
  new UsageError('is not a tensor: neither numbers, nor numbers beside their shape', {
    where,
    fix: 'give an engine’s tensor, { data, shape }, a typed array, or nested lists of numbers',
  });

/** What a plain list becomes, by the type of its items. Every whole number is judged by its value. */
const listTypes: Readonly<Record<string, DType>> = {
  number: 'float64',
  bigint: 'int64',
  boolean: 'bool',
};

/** Items of a plain list in a type. Throws UsageError for one that it cannot hold; floats are rounded to float32. */
function filled<D extends DType>(
  dtype: D,
  items: readonly ElementValue[],
  where: string,
): DataOf[D] {
  const { data } = zeros(dtype, [items.length]);
  const big = dtype === 'int64' || dtype === 'uint64';
  const floats = dtype === 'float32' || dtype === 'float64';
  for (const [i, item] of items.entries()) {
    const fits = floats || typeof item === 'bigint' || Number.isInteger(Number(item));
    if (fits) data[i] = big ? BigInt(item) : Number(item);
    const same = big ? data[i] === BigInt(fits ? item : 0) : Number(data[i]) === Number(item);
    if (!fits || (!floats && !same)) {
      throw new UsageError(`element ${i}, ${item}, is not of type ${dtype}`, {
        where,
        fix: 'leave dtype out, or give the type that holds it',
      });
    }
  }
  return data;
}

/** The elements as a typed array of ours and the type that its class says. */
function elements(data: unknown, where: string): { data: DataOf[DType]; dtype: DType } {
  if (Array.isArray(data)) {
    const kind = typeof (data[0] ?? 0);
    const list = listTypes[kind];
    // Anything else would become NaN without a word.
    if (list === undefined || !data.every((x) => typeof x === kind)) throw noTensor(where);
    return { data: filled(list, data as ElementValue[], where), dtype: list };
  }
  // In newer engines half floats have a class of their own.
  if (Object.prototype.toString.call(data) === '[object Float16Array]') {
    const { buffer, byteOffset, length } = data as Float32Array;
    return { data: new Uint16Array(buffer, byteOffset, length), dtype: 'float16' };
  }
  const found = classes.find(([type]) => data instanceof type);
  if (found === undefined) throw noTensor(where);
  return { data: data as DataOf[DType], dtype: found[1] };
}

const sameWidth: Readonly<Record<string, DType>> = {
  float16: 'uint16',
  bfloat16: 'uint16',
  bool: 'uint8',
};

/** Types that a plain list can be filled into. */
const isListed = (dtype: string): dtype is DType =>
  dtype !== 'float16' && storedTypes.get(dtype)?.dtype === dtype;

/** A tensor of ours over these elements, copied: an engine may use their memory again. */
function made(data: unknown, shape: Shape | undefined, dtype: string | undefined, where: string) {
  const found =
    Array.isArray(data) && dtype !== undefined && isListed(dtype)
      ? { data: filled(dtype, data as ElementValue[], where), dtype }
      : elements(data, where);
  const size = found.data.length;
  const of = shape ?? [size];
  if (of.some((extent) => !Number.isInteger(extent) || extent < 0) || sizeOf(of) !== size) {
    throw new UsageError(`${size} elements do not fill shape [${of.join(', ')}]`, {
      where,
      fix: 'give the shape that they have',
    });
  }
  const type = dtype === undefined || dtype === found.dtype ? found.dtype : dtype;
  if (type !== found.dtype && sameWidth[type] !== found.dtype) {
    throw new UsageError(`says ${type} and holds ${found.dtype}`, {
      where,
      fix: 'leave dtype out, or give the array it means',
    });
  }
  if (type === 'bfloat16') {
    const { buffer, byteOffset, byteLength } = found.data;
    const bits = new Uint8Array(buffer, byteOffset, byteLength);
    return decodeStored(storedTypes.get(type)!, [...of], bits);
  }
  return tensor(type as DType, [...of], found.data.slice() as never) as Tensor;
}

/** How long nested lists are, from the outside in. Throws UsageError where some are longer than others. */
function shapeOf(value: unknown, where: string): number[] {
  if (!Array.isArray(value)) return [];
  const inner = value.map((item) => shapeOf(item, where));
  const [first = []] = inner;
  const other = inner.findIndex((shape) => shape.join() !== first.join());
  if (other >= 0) {
    throw new UsageError(
      `its lists do not fill a shape: item 0 is [${first.join(', ')}], item ${other} [${inner[other].join(', ')}]`,
      { where, fix: 'give lists of one length' },
    );
  }
  return [value.length, ...first];
}

const nested = (value: NestedElements, where: string): Tensor =>
  made(
    ([value] as unknown[]).flat(Number.POSITIVE_INFINITY),
    shapeOf(value, where),
    undefined,
    where,
  );

const isTfjs = (v: object): v is TfjsTensor => 'dataSync' in v && 'shape' in v;
const isOrt = (v: object): v is OrtTensor => 'dims' in v && 'type' in v;
const isPlain = (v: object): v is PlainTensor => 'data' in v;

function read<T>(get: () => T, where: string): T {
  try {
    return get();
  } catch (error) {
    throw new UsageError(`cannot be read: ${(error as Error).message}`, {
      where,
      fix: 'if it is on a device, await rec.addAsync(…) instead of rec.add(…)',
    });
  }
}

/** TensorFlow.js keeps truths in bytes and calls them bool; its int32 is its only integer. */
const tfjsType = (dtype: string, where: string): string => {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new UsageError(`has dtype ${dtype}, which is not judged`, {
    where,
    fix: 'record its real and imaginary part, or its numbers',
  });
};

/** What a port hands over as a tensor of ours, in memory of its own. `where` names it in messages. Throws UsageError. */
export function tensorOf(value: TensorLike, where: string): Tensor {
  if ((typeof value) in listTypes || Array.isArray(value))
    return nested(value as NestedElements, where);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value))
    return made(value, undefined, undefined, where);
  if (isTfjs(value))
    return made(
      read(() => value.dataSync(), where),
      value.shape,
      tfjsType(value.dtype, where),
      where,
    );
  if (isOrt(value))
    return made(
      read(() => value.data, where),
      value.dims,
      value.type,
      where,
    );
  if (isPlain(value)) {
    const plain = made(value.data, value.shape, value.dtype, where);
    const { stored } = value as { readonly stored?: string };
    return stored === undefined ? plain : ({ ...plain, stored } as Tensor);
  }
  return made(value, undefined, undefined, where);
}

/** The same, of a tensor that may lie on a device. */
export async function tensorOfAsync(value: TensorLike, where: string): Promise<Tensor> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (isTfjs(value))
      return made(await value.data(), value.shape, tfjsType(value.dtype, where), where);
    if (isOrt(value) && value.getData !== undefined)
      return made(await value.getData(), value.dims, value.type, where);
  }
  return tensorOf(value, where);
}
