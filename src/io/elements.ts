import type { Shape } from '../tensor/shape.ts';
import { bytesOf, bytesPerElement, type DType, fromBytes, type Tensor } from '../tensor/tensor.ts';
import { fortranStrides, gather } from './strided.ts';

const swapInPlace: { readonly [bytes: number]: (b: Buffer) => Buffer } = {
  1: (b) => b,
  2: (b) => b.swap16(),
  4: (b) => b.swap32(),
  8: (b) => b.swap64(),
};

/** Turns big-endian elements of `width` bytes into little-endian ones, and back. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  swapInPlace[width](Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** NumPy takes any non-zero byte of a bool array as True; tensors hold 0 and 1 only. */
export function normaliseBools(t: Tensor): Tensor {
  if (t.dtype === 'bool') for (let i = 0; i < t.data.length; i++) t.data[i] = t.data[i] ? 1 : 0;
  return t;
}

/** The C-order tensor whose elements stand in `t.data` in Fortran order. */
export function fromFortran(t: Tensor): Tensor {
  const { dtype, shape } = t;
  if (shape.length < 2) return t;
  const layout = { shape, strides: fortranStrides(shape), offset: 0 };
  return fromBytes(dtype, shape, gather(bytesPerElement[dtype], bytesOf(t), layout)) as Tensor;
}

export interface Layout {
  readonly bigEndian?: boolean;
  readonly fortran?: boolean;
}

/**
 * A C-order, native-endian tensor of its own memory from raw stored elements. Throws RangeError
 * when the bytes do not fill the shape: the caller has compared the two.
 */
export function decodeElements(
  dtype: DType,
  shape: Shape,
  bytes: Uint8Array,
  { bigEndian = false, fortran = false }: Layout = {},
): Tensor {
  const stored = fromBytes(dtype, shape, bytes) as Tensor;
  if (bigEndian) swapBytes(bytesOf(stored), bytesPerElement[dtype]);
  return normaliseBools(fortran ? fromFortran(stored) : stored);
}
