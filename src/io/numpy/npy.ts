import { parse } from 'npyjs';
import { InputError } from '../../errors.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { bytesOf, bytesPerElement, type DataOf, type Tensor, tensor } from '../../tensor/tensor.ts';
import { counted } from '../../words.ts';
import { concatBytes } from '../concat.ts';
import { fromFortran, normaliseBools, swapBytes } from '../elements.ts';
import { printable } from '../names.ts';
import { readFileOrFail } from '../readFile.ts';
import { sha256Hex } from '../sha256/sha256.ts';
import { storedBytes } from '../shapeCheck.ts';
import { type Arrays, checkRead, isUnread, type UnreadArray } from './arrays.ts';
import { codeOf, descrOf, parseDescr, type StoredType, unreadable } from './dtypeCode.ts';
import { isNpy, type NpyHeader, npyHeader, parseNpyHeader } from './npyHeader.ts';

/** The name of the only array of a plain .npy file. */
export const unnamedArray = '(array)';

/**
 * npyjs reads little-endian vectors that lie aligned in a buffer of their own, and unpacks bools
 * into JavaScript arrays. So it is handed exactly such a vector, with bools named bytes.
 */
function parseVector({ dtype, bigEndian }: StoredType, stored: Uint8Array): DataOf[typeof dtype] {
  const width = bytesPerElement[dtype];
  const code = dtype === 'bool' ? '|u1' : descrOf(dtype);
  const header = npyHeader(code, [stored.byteLength / width]);
  const file = concatBytes([header, stored]);
  if (bigEndian) swapBytes(file.subarray(header.byteLength), width);
  return parse(file.buffer, { convertFloat16: false }).data as DataOf[typeof dtype];
}

const mustBeNumbers = `save an array of ${Object.values(codeOf).join(', ')}`;

/** `np.savez(file, dict)` makes one pickled object of the dict and calls it `arr_0`. */
const mayBeDict = 'if it is a dict of arrays, numpy.savez(file, **dict) saves each under its name';

/** What an array that is not a tensor holds. The digest is that of its type, shape and bytes. */
function unreadOf(header: NpyHeader, bytes: Uint8Array): UnreadArray {
  const { descr, fortran, shape, dataOffset } = header;
  const what = unreadable(descr) ?? 'elements of an unknown type';
  const content = sha256Hex(bytes.subarray(dataOffset));
  return {
    what: `${what} (dtype ${printable(descr)})`,
    fix: descr === '|O' && shape.length === 0 ? mayBeDict : mustBeNumbers,
    digest: `${descr} ${fortran} ${shape.join(' ')} ${content}`,
  };
}

/** The array that a .npy file begins with, and how many bytes follow it. */
export interface FirstArray {
  readonly array: Tensor | UnreadArray;
  readonly rest: number;
}

/**
 * Reads the array that bytes begin with as `numpy.load` does: .npy format 1, 2 or 3, any byte order, C or
 * Fortran order, into a C-order tensor of its own memory. Objects, text and the like are said, not read.
 * Throws InputError naming `where` when the header is damaged or asks for more bytes than there are.
 */
export function readFirstNpy(bytes: Uint8Array, where: string): FirstArray {
  const header = parseNpyHeader(bytes, where);
  const stored = parseDescr(header.descr);
  if (stored === undefined) return { array: unreadOf(header, bytes), rest: 0 };
  const expected = storedBytes(stored.dtype, header.shape);
  const actual = bytes.byteLength - header.dataOffset;
  if (expected === undefined || expected > actual) {
    const needed = expected ?? 'an impossible number of';
    throw new InputError(
      `shape (${printable(header.shape.join(', '))}) of ${header.descr} needs ${needed} bytes, the file has ${actual}`,
      { where, fix: 'the file is cut short or damaged; write it again' },
    );
  }
  const end = header.dataOffset + expected;
  const vector = parseVector(stored, bytes.subarray(header.dataOffset, end));
  if (vector.length !== sizeOf(header.shape)) {
    throw new InputError('the elements cannot be read', { where, fix: 'write the file again' });
  }
  const dense = tensor(stored.dtype, header.shape, vector) as Tensor;
  const array = normaliseBools(header.fortran ? fromFortran(dense) : dense);
  return { array, rest: bytes.byteLength - end };
}

/** `bytes behind the array`, as a note. */
export const restNote = (rest: number): string =>
  `${counted(rest, 'byte')} behind the array ${rest === 1 ? 'is' : 'are'} left out`;

/**
 * Reads a .npy file that holds one array and nothing else; see `readFirstNpy`. Throws InputError naming
 * `where` also for objects, text and the like, and when the length does not match the header to the byte.
 */
export function readNpy(bytes: Uint8Array, where: string): Tensor {
  const { array, rest } = readFirstNpy(bytes, where);
  if (isUnread(array)) throw new InputError(`holds ${array.what}`, { where, fix: mustBeNumbers });
  if (rest > 0) {
    throw new InputError(restNote(rest), { where, fix: 'write the file again with numpy.save' });
  }
  return array;
}

/**
 * Reads a .npy file as `Arrays`: one array called `(array)`, and, where numpy.save was called again on the
 * open file, `(array 2)`, `(array 3)` … Throws InputError naming `where`.
 */
export function openNpy(bytes: Uint8Array, where: string): Arrays {
  const tensors = new Map<string, Tensor>();
  const unread = new Map<string, UnreadArray>();
  let left = bytes;
  do {
    const name = tensors.size === 0 ? unnamedArray : `(array ${tensors.size + 1})`;
    const { array, rest } = readFirstNpy(left, where);
    if (isUnread(array)) unread.set(name, array);
    else tensors.set(name, array);
    left = left.subarray(left.byteLength - rest);
  } while (isNpy(left));
  const notes = left.byteLength === 0 ? [] : [restNote(left.byteLength)];
  return checkRead({ tensors, unread, notes }, where);
}

/** The chunks of a .npy file, the tensor's own memory among them. */
export const npyChunks = (t: Tensor): Uint8Array[] => [
  npyHeader(descrOf(t.dtype), t.shape),
  bytesOf(t),
];

/** A .npy file, format 1.0, byte for byte as numpy.save writes a C-order array. */
export const writeNpy = (t: Tensor): Uint8Array<ArrayBuffer> => concatBytes(npyChunks(t));

/** Reads one .npy file; throws InputError when it is missing, damaged or of another kind. */
export const readNpyFile = (path: string): Tensor => readNpy(readFileOrFail(path), path);
