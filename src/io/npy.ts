import { parse } from 'npyjs';
import { InputError } from '../errors.ts';
import { sizeOf } from '../tensor/shape.ts';
import { bytesOf, bytesPerElement, type DataOf, type Tensor, tensor } from '../tensor/tensor.ts';
import { concatBytes } from './concat.ts';
import { codeOf, descrOf, parseDescr, type StoredType, unreadable } from './dtypeCode.ts';
import { fromFortran, normaliseBools, swapBytes } from './elements.ts';
import { printable } from './names.ts';
import { npyHeader, parseNpyHeader } from './npyHeader.ts';
import { readFileOrFail } from './readFile.ts';
import { storedBytes } from './shapeCheck.ts';

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

/**
 * Reads a .npy file (format 1, 2 or 3; any byte order; C or Fortran order) as a C-order tensor of
 * its own memory. Throws InputError naming `where` for anything else, objects and text included,
 * and when the length does not match the header to the byte.
 */
export function readNpy(bytes: Uint8Array, where: string): Tensor {
  const header = parseNpyHeader(bytes, where);
  const stored = parseDescr(header.descr);
  if (stored === undefined) {
    const what = unreadable(header.descr) ?? 'elements of an unknown type';
    throw new InputError(`holds ${what} (dtype ${printable(header.descr)})`, {
      where,
      fix: `save an array of ${Object.values(codeOf).join(', ')}`,
    });
  }
  const expected = storedBytes(stored.dtype, header.shape);
  const actual = bytes.byteLength - header.dataOffset;
  if (expected !== actual) {
    const needed = expected === undefined ? 'an impossible number of' : expected;
    throw new InputError(
      `shape (${printable(header.shape.join(', '))}) of ${header.descr} needs ${needed} bytes, the file has ${actual}`,
      { where, fix: 'the file is cut short or damaged; write it again' },
    );
  }
  const vector = parseVector(stored, bytes.subarray(header.dataOffset));
  if (vector.length !== sizeOf(header.shape)) {
    throw new InputError('the elements cannot be read', { where, fix: 'write the file again' });
  }
  const dense = tensor(stored.dtype, header.shape, vector) as Tensor;
  return normaliseBools(header.fortran ? fromFortran(dense) : dense);
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
