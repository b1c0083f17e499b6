import { bytesPerElement, type DType } from '../tensor/tensor.ts';

/** NumPy's two-letter type codes, kind and bytes, as they stand in .npy headers and pickles. */
export const codeOf: { readonly [D in DType]: string } = {
  float16: 'f2',
  float32: 'f4',
  float64: 'f8',
  int8: 'i1',
  int16: 'i2',
  int32: 'i4',
  int64: 'i8',
  uint8: 'u1',
  uint16: 'u2',
  uint32: 'u4',
  uint64: 'u8',
  bool: 'b1',
};

const dtypeOf: ReadonlyMap<string, DType> = new Map(
  (Object.keys(codeOf) as DType[]).map((dtype) => [codeOf[dtype], dtype]),
);

export interface StoredType {
  readonly dtype: DType;
  readonly bigEndian: boolean;
}

/** NumPy's little-endian descriptor: `<f4`, or `|u1` where a single byte has no order. */
export const descrOf = (dtype: DType): string =>
  `${bytesPerElement[dtype] === 1 ? '|' : '<'}${codeOf[dtype]}`;

/**
 * Reads `<f4`, `>i8`, `|b1`, `=f8` or a bare `f4` (native order, which is little-endian on every
 * platform Node runs on); undefined for any type the project has no tensor for.
 */
export function parseDescr(descr: string): StoredType | undefined {
  const [, order, code] = /^([<>|=]?)([a-z]\d)$/.exec(descr) ?? [];
  const dtype = code === undefined ? undefined : dtypeOf.get(code);
  return dtype === undefined ? undefined : { dtype, bigEndian: order === '>' };
}

const kinds: { readonly [kind: string]: string } = {
  O: 'pickled Python objects',
  c: 'complex numbers',
  U: 'text',
  S: 'text',
  V: 'records',
  M: 'dates',
  m: 'durations',
};

/** What elements of a type that `parseDescr` does not know are; undefined for no type of NumPy's. */
export function unreadable(descr: string): string | undefined {
  const code = descr.replace(/^[<>|=]/, '');
  // NumPy has no bfloat16: ml_dtypes' one loses its name on the way into a file.
  return code === 'V2' ? 'two-byte records, perhaps bfloat16' : kinds[code.charAt(0)];
}
