import { InputError } from '../errors.ts';
import type { Tensor, TensorMap } from '../tensor/tensor.ts';
import { concatBytes } from './concat.ts';
import { checkNames, printable } from './names.ts';
import { npyChunks, readNpy } from './npy.ts';
import { readFileOrFail } from './readFile.ts';
import { readZip } from './zip.ts';
import { zipChunks } from './zipWriter.ts';

const SUFFIX = '.npy';

/** Array names, in file order, each with a function that reads it; nothing is unpacked yet. */
export function openNpz(bytes: Uint8Array, where: string): ReadonlyMap<string, () => Tensor> {
  const entries = readZip(bytes, where);
  const arrays = new Map<string, () => Tensor>();
  for (const [file, entry] of entries) {
    if (!file.endsWith(SUFFIX)) continue;
    const name = file.slice(0, -SUFFIX.length);
    arrays.set(name, () => readNpy(entry.read(), `${where}: ${printable(name)}`));
  }
  if (arrays.size === 0 && entries.size > 0) {
    const [first] = entries.keys();
    throw new InputError(`is a zip without arrays (it holds '${printable(first)}')`, {
      where,
      fix: 'write it with numpy.savez',
    });
  }
  return arrays;
}

/**
 * Reads a .npz file (numpy.savez or numpy.savez_compressed) as name → tensor in file order; entries
 * that are no arrays are left out. Throws InputError naming `where` and the array.
 */
export function readNpz(bytes: Uint8Array, where: string): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, read] of openNpz(bytes, where)) tensors.set(name, read());
  return tensors;
}

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
