import { bytesPerElement, type DType } from '../../tensor/tensor.ts';

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

const dtypes = Object.keys(codeOf) as DType[];

/** C's letters, which `numpy.dtype` takes with a byte order too. `l` is a long of Linux and macOS. */
const letters: { readonly [D in DType]: string } = {
  float16: 'e',
  float32: 'f',
  float64: 'd',
  int8: 'b',
  int16: 'h',
  int32: 'i',
  int64: 'lqp',
  uint8: 'B',
  uint16: 'H',
  uint32: 'I',
  uint64: 'LQP',
  bool: '?',
};

const ordered: ReadonlyMap<string, DType> = new Map(
  dtypes.flatMap((dtype) => [codeOf[dtype], ...letters[dtype]].map((code) => [code, dtype])),
);

/** What other writers put into a header instead: names, always of this machine's byte order. */
const named: ReadonlyMap<string, DType> = new Map([
  ...dtypes.map((dtype) => [dtype, dtype] as const),
  ['half', 'float16'],
  ['single', 'float32'],
  ['double', 'float64'],
  ['float', 'float64'],
  ['int', 'int64'],
  ['uint', 'uint64'],
]);

export interface StoredType {
  readonly dtype: DType;
  readonly bigEndian: boolean;
}

/** NumPy's little-endian descriptor: `<f4`, or `|u1` where a single byte has no order. */
export const descrOf = (dtype: DType): string =>
  `${bytesPerElement[dtype] === 1 ? '|' : '<'}${codeOf[dtype]}`;

/**
 * Reads `<f4`, `>i8`, `|b1`, `=f8`, C's letters, or a bare `f4` or `float32` (native order, which is
 * little-endian on every platform Node runs on), as `numpy.dtype` does; undefined for any type the project
 * has no tensor for.
 */
export function parseDescr(descr: string): StoredType | undefined {
  const [, order, code] = /^([<>|=]?)(.*)$/s.exec(descr)!;
  const dtype = ordered.get(code) ?? (order === '' ? named.get(code) : undefined);
  return dtype === undefined ? undefined : { dtype, bigEndian: order === '>' };
}

const kinds: { readonly [kind: string]: string } = {
  O: 'pickled Python objects',
  c: 'complex numbers',
  f: 'floats of more than 64 bits',
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
  if (code === 'V2') return 'two-byte records, perhaps bfloat16';
  return descr.startsWith('[') ? 'records' : kinds[code.charAt(0)];
}
