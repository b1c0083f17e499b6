import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect } from 'vitest';
import { UserError } from '../../errors.ts';
import { type Shape, sizeOf } from '../../tensor/shape.ts';
import {
  bytesOf,
  bytesPerElement,
  type DType,
  elementType,
  fromBytes,
  type Tensor,
  type TensorMap,
  zeros,
} from '../../tensor/tensor.ts';
import { codeOf } from '../numpy/dtypeCode.ts';

const readJson = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8'));
const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

const vectors = new Map(Object.entries(readJson('vectors.json') as Record<string, string>));

/** A file that NumPy or PyTorch wrote; see make_vectors.py. */
export function vector(name: string): Uint8Array<ArrayBuffer> {
  const text = vectors.get(name);
  if (text === undefined) throw new Error(`no vector ${name}`);
  return fromBase64(text);
}

/** A file that another tool leaves, and what NumPy reads of it: `dtype [shape] bytes` by name. */
export interface Archive {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly shown: Readonly<Record<string, string>>;
}

/** By name; see make_archives.py. */
export const archives: ReadonlyMap<string, Archive> = new Map(
  Object.entries(
    readJson('archives.json') as Record<string, { file: string; shown: Archive['shown'] }>,
  ).map(([name, { file, shown }]) => [name, { file: fromBase64(file), shown }]),
);

/** Files of torch.save, and what torch.load reads of each; see make_torch_files.py. */
export const torchFiles: readonly (Archive & { readonly name: string })[] = [
  '1.13',
  '2.13',
].flatMap((version) =>
  Object.entries(
    readJson(`torch-${version}.json`) as Record<string, { file: string; shown: Archive['shown'] }>,
  ).map(([name, { file, shown }]) => ({
    name: `${version} ${name}`,
    file: new Uint8Array(gunzipSync(fromBase64(file))),
    shown,
  })),
);

/** One of them, of PyTorch 2.13. */
export const torchFile = (name: string): Uint8Array<ArrayBuffer> =>
  torchFiles.find((found) => found.name === `2.13 ${name}`)!.file;

/** Tensors as an `Archive` shows them. */
export const shown = (tensors: TensorMap): Archive['shown'] =>
  Object.fromEntries(
    [...tensors].map(([name, t]) => [
      name,
      `${elementType(t)} [${t.shape.join(', ')}] ${Buffer.from(bytesOf(t)).toString('hex')}`,
    ]),
  );

export const vectorNames = (prefix: string): string[] =>
  [...vectors.keys()].filter((name) => name.startsWith(prefix));

export const dtypes = Object.keys(bytesPerElement) as DType[];
export const dtypeOfCode = (code: string): DType => dtypes.find((d) => codeOf[d] === code) as DType;

/** The content of every vector: element i is (7 i + 1) mod 64, as NumPy converts it. */
export function counting(dtype: DType, shape: Shape): Tensor {
  const values = Array.from({ length: sizeOf(shape) }, (_, i) => (i * 7 + 1) % 64);
  const t = zeros(dtype, shape) as Tensor;
  for (const [i, v] of values.entries()) {
    if (t.dtype === 'int64' || t.dtype === 'uint64') t.data[i] = BigInt(v);
    else if (t.dtype === 'float16') t.data[i] = half(v);
    else if (t.dtype === 'bool') t.data[i] = v ? 1 : 0;
    else t.data[i] = v;
  }
  return t;
}

/** The float16 bits of a small whole number. */
function half(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | ((value / 2 ** exponent - 1) * 1024);
}

/** Same type, shape and bits: unlike toEqual, tells NaN payloads and -0 apart. */
export function expectSameTensor(actual: Tensor | undefined, expected: Tensor): void {
  expect(actual && { dtype: actual.dtype, shape: actual.shape, size: actual.data.length }).toEqual({
    dtype: expected.dtype,
    shape: expected.shape,
    size: expected.data.length,
  });
  expect(Buffer.compare(bytesOf(actual as Tensor), bytesOf(expected))).toBe(0);
}

/** Same names in the same order, same tensors. */
export function expectSameMap(actual: TensorMap, expected: TensorMap): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, t] of expected) expectSameTensor(actual.get(name), t);
}

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

export const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...dtypes), shapes)
  .chain(([dtype, shape]) => {
    const size = sizeOf(shape) * bytesPerElement[dtype];
    const byte =
      dtype === 'bool' ? fc.integer({ min: 0, max: 1 }) : fc.integer({ max: 255, min: 0 });
    return fc
      .array(byte, { minLength: size, maxLength: size })
      .map((bytes) => fromBytes(dtype, shape, Uint8Array.from(bytes)) as Tensor);
  });

const names = fc.oneof(
  fc.constantFrom(
    'f32/features.0.weight',
    '__proto__',
    'constructor',
    '0',
    '10',
    'a/../b',
    '',
    '\ufeffx',
  ),
  fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .filter((s) => s !== '__metadata__' && !s.includes('\0')),
);

export const anyMap: fc.Arbitrary<Map<string, Tensor>> = fc
  .uniqueArray(fc.tuple(names, anyTensor), { maxLength: 5, selector: ([name]) => name })
  .map((pairs) => new Map(pairs));

/** Damaged copies of a file: flipped, inserted, removed or repeated bytes, and cut ends. */
export function mutations(file: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat({ max: Math.max(0, file.byteLength - 1) });
  const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  return fc.oneof(
    fc
      .array(fc.tuple(at, fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 })
      .map((flips) => {
        const out = Uint8Array.from(file);
        for (const [i, x] of flips) out[i] ^= x;
        return out;
      }),
    at.map((i) => file.slice(0, i)),
    fc
      .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([i, extra]) => join(file.subarray(0, i), extra, file.subarray(i))),
    fc
      .tuple(at, fc.integer({ min: 1, max: 8 }))
      .map(([i, n]) => join(file.subarray(0, i), file.subarray(i + n))),
    fc
      .tuple(at, fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.integer({ min: 1, max: 8 }))
      .map(([i, byte, n]) => Uint8Array.from(file, (b, k) => (k >= i && k < i + n ? byte : b))),
  );
}

/** Runs a reader on damaged bytes: its result, or undefined if it refused in the proper way. */
export function resultOrRefusal<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toMatch(/[\r\n]/);
    expect(error.where).toBeTruthy();
    return undefined;
  }
}

/** A tensor whose parts agree with each other. */
export function expectWellFormed(t: Tensor): void {
  expect(dtypes).toContain(t.dtype);
  expect(t.data.length).toBe(sizeOf(t.shape));
  expect(t.data.BYTES_PER_ELEMENT).toBe(bytesPerElement[t.dtype]);
}
