import type { Shape } from '../../tensor/shape.ts';
import { bytesPerElement, type DType, type Tensor, tensor, viewOf } from '../../tensor/tensor.ts';
import { decodeElements } from '../elements.ts';

/**
 * A type of element as it stands in a file. Those without a tensor of ours are read into one that holds
 * every value of theirs exactly: bfloat16 and the float8s into float32, a complex number into two floats
 * along a last axis, as `torch.view_as_real` shows it. The tensor remembers its `stored` type.
 */
export interface StoredType {
  /** PyTorch's name. */
  readonly name: string;
  readonly dtype: DType;
  /** Bytes an element. */
  readonly width: number;
  /** Two parts an element, the imaginary one last. */
  readonly complex: boolean;
  /** The float32 bits of every value, for types that are looked up. */
  readonly widened?: Uint32Array;
}

/** How a float8 spends its bits: `fn` has NaN but no infinity, `fnuz` no negative zero either. */
interface Float8 {
  readonly mantissa: number;
  readonly bias: number;
  readonly kind: 'ieee' | 'fn' | 'fnuz';
}

/** Source: the papers arXiv:2209.05433 and arXiv:2206.02915. */
const float8s: { readonly [name: string]: Float8 } = {
  float8_e4m3fn: { mantissa: 3, bias: 7, kind: 'fn' },
  float8_e4m3fnuz: { mantissa: 3, bias: 8, kind: 'fnuz' },
  float8_e5m2: { mantissa: 2, bias: 15, kind: 'ieee' },
  float8_e5m2fnuz: { mantissa: 2, bias: 16, kind: 'fnuz' },
};

function specialFloat8(code: number, { mantissa, kind }: Float8): number | undefined {
  const rest = code & 0x7f;
  if (kind === 'fnuz') return code === 0x80 ? Number.NaN : undefined;
  if (kind === 'fn') return rest === 0x7f ? Number.NaN : undefined;
  const infinity = 0x80 - (1 << mantissa);
  if (rest < infinity) return undefined;
  return rest > infinity ? Number.NaN : Number.POSITIVE_INFINITY;
}

function float8Value(code: number, format: Float8): number {
  const { mantissa, bias } = format;
  const exponent = (code & 0x7f) >> mantissa;
  const fraction = (code & ((1 << mantissa) - 1)) / (1 << mantissa);
  const size =
    exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  const value = specialFloat8(code, format) ?? size;
  return code & 0x80 && !Number.isNaN(value) ? -value : value;
}

const widened = (name: string, width: number, bits: Uint32Array): StoredType => ({
  name,
  dtype: 'float32',
  width,
  complex: false,
  widened: bits,
});

const bitsOf = (values: (code: number) => number): Uint32Array =>
  new Uint32Array(Float32Array.from({ length: 256 }, (_, code) => values(code)).buffer);

/** The upper half of a float32, as it is. */
const bfloat16Bits = new Uint32Array(2 ** 16).map((_, code) => code << 16);

const plain = (Object.keys(bytesPerElement) as DType[]).map(
  (dtype): StoredType => ({
    name: dtype,
    dtype,
    width: bytesPerElement[dtype],
    complex: false,
  }),
);

/** By PyTorch's names. */
export const storedTypes: ReadonlyMap<string, StoredType> = new Map(
  [
    ...plain,
    widened('bfloat16', 2, bfloat16Bits),
    ...Object.entries(float8s).map(([name, format]) =>
      widened(
        name,
        1,
        bitsOf((code) => float8Value(code, format)),
      ),
    ),
    // An exponent alone.
    widened(
      'float8_e8m0fnu',
      1,
      bitsOf((code) => (code === 0xff ? Number.NaN : 2 ** (code - 127))),
    ),
    { name: 'complex64', dtype: 'float32', width: 8, complex: true } as const,
    { name: 'complex128', dtype: 'float64', width: 16, complex: true } as const,
  ].map((type) => [type.name, type]),
);

/** Bytes of tensors that one stored element becomes. */
export const unfoldedWidth = ({ dtype, complex }: StoredType): number =>
  bytesPerElement[dtype] * (complex ? 2 : 1);

/** Moved as words: a NaN's payload need not survive a float register. */
function lookUp(width: number, bits: Uint32Array, bytes: Uint8Array): Float32Array {
  const out = new Uint32Array(bytes.byteLength / width);
  if (width === 1) for (let i = 0; i < out.length; i++) out[i] = bits[bytes[i]];
  else for (let i = 0; i < out.length; i++) out[i] = bits[bytes[2 * i] | (bytes[2 * i + 1] << 8)];
  return new Float32Array(out.buffer);
}

/** The tensor of little-endian elements in C order that fill `shape`, in memory of its own. */
export function decodeStored(type: StoredType, shape: Shape, bytes: Uint8Array): Tensor {
  const { name, dtype, width, complex, widened: bits } = type;
  if (bits !== undefined) {
    return { ...tensor('float32', shape, lookUp(width, bits, bytes)), stored: name };
  }
  if (complex) return { ...decodeElements(dtype, [...shape, 2], bytes), stored: name };
  return decodeElements(dtype, shape, bytes);
}

/** A bool is 0 or 1; whatever else a file holds is true. */
const areBools = (bytes: Uint8Array): boolean => bytes.every((byte) => byte <= 1);

/** The same, in the memory of `bytes` where the elements can lie there as they are. */
export function viewStored(type: StoredType, shape: Shape, bytes: Uint8Array): Tensor {
  const { name, dtype, complex, widened: bits } = type;
  const asItIs = bits === undefined && (dtype !== 'bool' || areBools(bytes));
  if (!asItIs) return decodeStored(type, shape, bytes);
  if (complex) return { ...viewOf(dtype, [...shape, 2], bytes), stored: name } as Tensor;
  return viewOf(dtype, shape, bytes) as Tensor;
}
