import { type Shape, sizeOf } from './shape.ts';

/** NumPy's names; `bool` is stored a byte an element, `float16` as its bit patterns. */
export interface DataOf {
  float16: Uint16Array;
  float32: Float32Array;
  float64: Float64Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

export type DType = keyof DataOf;

/** A dense host array in C (row-major) order. `shape` [] is a 0-d array of one element. */
export type Tensor<D extends DType = DType> = {
  [K in D]: {
    readonly dtype: K;
    readonly shape: Shape;
    readonly data: DataOf[K];
    /** PyTorch's name of the type in the file, where it is none of ours: every value of it is exact here. */
    readonly stored?: string;
  };
}[D];

/** The type of a tensor's elements where they came from: that of the file, or its own. */
export const elementType = ({ dtype, stored }: Tensor): string => stored ?? dtype;

export type TensorMap = ReadonlyMap<string, Tensor>;

export const bytesPerElement: { readonly [D in DType]: number } = {
  float16: 2,
  float32: 4,
  float64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
};

interface ArrayOf<T> {
  new (size: number): T;
  new (buffer: ArrayBufferLike, byteOffset: number, size: number): T;
}

const arrayOf: { readonly [D in DType]: ArrayOf<DataOf[D]> } = {
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** A tensor of zeros. */
export const zeros = <D extends DType>(dtype: D, shape: Shape): Tensor<D> =>
  ({ dtype, shape, data: new arrayOf[dtype](sizeOf(shape)) }) as Tensor<D>;

/** Wraps `data` without copying; throws RangeError when its length does not fill `shape`. */
export function tensor<D extends DType>(dtype: D, shape: Shape, data: DataOf[D]): Tensor<D> {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(`${data.length} elements do not fill shape [${shape.join(', ')}]`);
  }
  return { dtype, shape, data } as Tensor<D>;
}

/** A 0-d float64; a float32 backend rounds it when it is fed. */
export const scalar = (value: number): Tensor<'float64'> =>
  tensor('float64', [], Float64Array.of(value));

/** Numbers by name as they are fed. */
export const scalars = (numbers: Readonly<Record<string, number>>): [string, Tensor][] =>
  Object.entries(numbers).map(([name, value]) => [name, scalar(value)]);

/** The tensor's bytes, little-endian (as on every platform Node runs on), without copying. */
export const bytesOf = (t: Tensor): Uint8Array =>
  new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);

/** Little-endian bytes as a tensor, in their own memory; in new memory where they are not aligned. */
export function viewOf<D extends DType>(dtype: D, shape: Shape, bytes: Uint8Array): Tensor<D> {
  if (bytes.byteOffset % bytesPerElement[dtype] !== 0) return fromBytes(dtype, shape, bytes);
  const size = bytes.byteLength / bytesPerElement[dtype];
  return tensor(dtype, shape, new arrayOf[dtype](bytes.buffer, bytes.byteOffset, size));
}

/** Little-endian bytes as a tensor in new memory. Throws RangeError when they do not fill `shape`. */
export function fromBytes<D extends DType>(dtype: D, shape: Shape, bytes: Uint8Array): Tensor<D> {
  const size = sizeOf(shape) * bytesPerElement[dtype];
  if (bytes.byteLength !== size) {
    throw new RangeError(`${bytes.byteLength} bytes do not fill ${dtype} [${shape.join(', ')}]`);
  }
  const out = zeros(dtype, shape);
  bytesOf(out as Tensor).set(bytes);
  return out;
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Every element as a float64 (int64 beyond 2^53 rounds). */
export function toFloat64(t: Tensor): Float64Array {
  if (t.dtype === 'float64') return t.data;
  if (t.dtype === 'float16') return Float64Array.from(t.data, halfToNumber);
  if (t.dtype === 'int64' || t.dtype === 'uint64') {
    const out = new Float64Array(t.data.length);
    for (let i = 0; i < out.length; i++) out[i] = Number(t.data[i]);
    return out;
  }
  return new Float64Array(t.data);
}

/** One element, whole where it is an integer. */
export const elementAt = (t: Tensor, i: number): number | bigint =>
  t.dtype === 'float16' ? halfToNumber(t.data[i]) : t.data[i];

/** Every element rounded to float32. */
export const toFloat32 = (t: Tensor): Float32Array =>
  t.dtype === 'float32' ? t.data : new Float32Array(toFloat64(t));

/** Every element with the other sign, in new memory; unsigned integers wrap, as PyTorch's do. */
export function negate(t: Tensor): Tensor {
  if (t.dtype === 'int64' || t.dtype === 'uint64')
    return { ...t, data: t.data.map((x) => -x) } as Tensor;
  if (t.dtype === 'float16') return { ...t, data: t.data.map((bits) => bits ^ 0x8000) };
  return { ...t, data: t.data.map((x) => -x) } as Tensor;
}
