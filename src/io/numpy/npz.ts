import { InputError } from '../../errors.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { concatBytes } from '../concat.ts';
import { checkNames, printable } from '../names.ts';
import { readFileOrFail } from '../readFile.ts';
import { readZip } from '../zip/zip.ts';
import { zipChunks } from '../zip/zipWriter.ts';
import {
  type Arrays,
  allTensors,
  checkRead,
  isUnread,
  quoted,
  type UnreadArray,
} from './arrays.ts';
import { npyChunks, readFirstNpy, restNote } from './npy.ts';
import { isNpy } from './npyHeader.ts';

const SUFFIX = '.npy';

const shortened = (file: string): string =>
  file.endsWith(SUFFIX) ? file.slice(0, -SUFFIX.length) : file;

/**
 * Reads a .npz file as `numpy.load` shows it, in file order: an array is known by how it begins, and
 * called as its file is, without `.npy`. Where `a` and `a.npy` are both there, each keeps its whole name.
 * Throws InputError naming `where`, and the array when one is damaged.
 */
export function openNpz(bytes: Uint8Array, where: string): Arrays {
  const tensors = new Map<string, Tensor>();
  const unread = new Map<string, UnreadArray>();
  const notes: string[] = [];
  const others: string[] = [];
  const entries = readZip(bytes, where);
  for (const [file, entry] of entries) {
    const content = entry.read();
    if (!isNpy(content)) {
      others.push(file);
      continue;
    }
    const short = shortened(file);
    const name = short !== file && entries.has(short) ? file : short;
    const { array, rest } = readFirstNpy(content, `${where}: ${printable(name)}`);
    if (isUnread(array)) unread.set(name, array);
    else tensors.set(name, array);
    if (rest > 0) notes.push(`'${printable(name)}': ${restNote(rest)}`);
  }
  if (tensors.size === 0 && unread.size === 0 && others.length > 0) {
    throw new InputError(`is a zip without arrays (it holds ${quoted(others)})`, {
      where,
      fix: 'write it with numpy.savez',
    });
  }
  if (others.length > 0) {
    const [are, what] = others.length === 1 ? ['is', 'array'] : ['are', 'arrays'];
    notes.push(`${quoted(others)} ${are} left out: no ${what}`);
  }
  return checkRead({ tensors, unread, notes }, where);
}

/** Reads a .npz file that holds tensors and nothing else as name → tensor; see `openNpz`, which takes more. */
export const readNpz = (bytes: Uint8Array, where: string): Map<string, Tensor> =>
  allTensors(openNpz(bytes, where), where);

/** How a .npz file is written. */
export interface NpzOptions {
  /** Deflate the arrays, as numpy.savez_compressed does. */
  readonly compress?: boolean;
}

function* entriesOf(tensors: TensorMap) {
  for (const [name, t] of tensors) yield { name: `${name}${SUFFIX}`, chunks: npyChunks(t) };
}

/** The chunks of a .npz file in map order, for writing without holding the archive. */
export function npzChunks(
  tensors: TensorMap,
  { compress = false }: NpzOptions = {},
): Iterable<Uint8Array> {
  checkNames(tensors.keys(), '.npz');
  return zipChunks(entriesOf(tensors), { compress }, '.npz file');
}

/**
 * A .npz file as numpy.load opens it, entries in map order; equal maps give equal bytes. Throws
 * InputError for a name a zip cannot carry and for more than 4 GiB.
 */
export const writeNpz = (tensors: TensorMap, options: NpzOptions = {}): Uint8Array<ArrayBuffer> =>
  concatBytes(npzChunks(tensors, options));

/** Reads one .npz file; throws InputError when it is missing, damaged or of another kind. */
export const readNpzFile = (path: string): Map<string, Tensor> =>
  readNpz(readFileOrFail(path), path);
