import { InputError } from '../../errors.ts';
import type { Shape } from '../../tensor/shape.ts';
import { concatBytes } from '../concat.ts';

/** A .npy header: the element type as written (`<f4`, `|O`), the order and the shape. */
export interface NpyHeader {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: Shape;
  /** Where the elements begin, in bytes from the start of the file. */
  readonly dataOffset: number;
}

const MAGIC = Uint8Array.of(0x93, ...Buffer.from('NUMPY'));
const ALIGN = 64;
/** NumPy leaves room to grow the first axis to this many digits without moving the data. */
const GROWTH_DIGITS = 21;
/** A plain array's header is some hundred bytes; more is damage or an attempt to waste time. */
const MAX_HEADER = 65536;

const lengthBytes: { readonly [major: number]: 2 | 4 } = { 1: 2, 2: 4, 3: 4 };
const encodings: { readonly [major: number]: 'latin1' | 'utf8' } = {
  1: 'latin1',
  2: 'latin1',
  3: 'utf8',
};

const PAIR =
  /\s*(?:'(\w+)'|"(\w+)")\s*:\s*('[^'\\]*'|"[^"\\]*"|True|False|\([^()]*\)|\[[^\]]*\])\s*(,|$)/y;
const SHAPE = /^\(\s*(?:\d+L?\s*,\s*)*(?:\d+L?\s*)?\)$/;

/** The literal dict of the header, key → source text of its value; undefined if it is none. */
function parsePairs(text: string): ReadonlyMap<string, string> | undefined {
  const literal = text.trim();
  if (!literal.startsWith('{') || !literal.endsWith('}')) return undefined;
  const inner = literal.slice(1, -1).trim();
  const pairs = new Map<string, string>();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < inner.length) {
    const [, single, double, value] = PAIR.exec(inner) ?? [];
    const key = single ?? double;
    if (key === undefined || pairs.has(key)) return undefined;
    pairs.set(key, value);
  }
  return pairs;
}

function parseShape(text: string): Shape | undefined {
  if (!SHAPE.test(text)) return undefined;
  const parts = text.slice(1, -1).split(',');
  // In Python `(3)` is a number; only a comma makes it a tuple.
  if (parts.length === 1 && parts[0].trim() !== '') return undefined;
  const sizes = parts.map((p) => p.trim()).filter((p) => p !== '');
  return sizes.map((p) => Number(p.replace('L', '')));
}

/** Whether the bytes begin as every .npy file does. */
export const isNpy = (bytes: Uint8Array): boolean =>
  bytes.byteLength >= MAGIC.length && MAGIC.every((b, i) => b === bytes[i]);

/**
 * Reads and checks the header of a .npy file, format versions 1 to 3. Throws InputError naming
 * `where`. Source: NumPy's format specification (NEP 1 and its revisions).
 */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const damaged = (what: string) =>
    new InputError(what, { where, fix: 'write the file again with numpy.save' });
  if (!isNpy(bytes)) throw damaged('is not a .npy file');
  if (bytes.byteLength < 12) throw damaged('ends inside the .npy header');
  const major = bytes[6];
  const lengthSize = lengthBytes[major];
  if (lengthSize === undefined || bytes[7] !== 0) {
    throw damaged(`.npy format version ${major}.${bytes[7]} is not known`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = lengthSize === 2 ? view.getUint16(8, true) : view.getUint32(8, true);
  const dataOffset = 8 + lengthSize + length;
  if (dataOffset > bytes.byteLength) throw damaged('ends inside the .npy header');
  if (length > MAX_HEADER) throw damaged(`the .npy header is too long (${length} bytes)`);
  const text = new TextDecoder(encodings[major]).decode(bytes.subarray(8 + lengthSize, dataOffset));
  const pairs = parsePairs(text);
  const descr = pairs?.get('descr');
  const order = pairs?.get('fortran_order');
  const shape = parseShape(pairs?.get('shape') ?? '');
  if (
    pairs?.size !== 3 ||
    descr === undefined ||
    shape === undefined ||
    (order !== 'True' && order !== 'False')
  ) {
    throw damaged('the .npy header cannot be read');
  }
  const quoted = descr.startsWith("'") || descr.startsWith('"');
  return {
    descr: quoted ? descr.slice(1, -1) : descr,
    fortran: order === 'True',
    shape,
    dataOffset,
  };
}

const tupleOf = (shape: Shape): string =>
  shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;

/**
 * A version 1.0 header for C-order data, byte for byte as numpy.save writes it: the data begin at a
 * multiple of 64, and blanks leave room for a longer first axis.
 */
export function npyHeader(descr: string, shape: Shape): Uint8Array<ArrayBuffer> {
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tupleOf(shape)}, }`;
  const growth = shape.length === 0 ? 0 : GROWTH_DIGITS - String(shape[0]).length;
  const unpadded = 10 + dict.length + growth + 1;
  const padding = ALIGN - (unpadded % ALIGN);
  const length = unpadded + padding - 10;
  const text = `${dict}${' '.repeat(growth + padding)}\n`;
  return concatBytes([
    MAGIC,
    Uint8Array.of(1, 0, length & 0xff, length >> 8),
    Buffer.from(text, 'latin1'),
  ]);
}
