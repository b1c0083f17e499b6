import { extname } from 'node:path';
import { InputError, UsageError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { isNpy } from './npyHeader.ts';
import { readNpz } from './npz.ts';
import { readFileOrFail } from './readFile.ts';
import { readSafetensors } from './safetensors.ts';
import {
  type CheckpointOptions,
  isLegacyCheckpoint,
  readTorchCheckpoint,
} from './torchCheckpoint.ts';
import { isZip, readZipDirectory } from './zipDirectory.ts';

type Format = 'torch' | 'safetensors' | 'npz';

const formatOf: { readonly [extension: string]: Format } = {
  '.pt': 'torch',
  '.pth': 'torch',
  '.safetensors': 'safetensors',
  '.npz': 'npz',
};

/** The endings by which `readWeights` knows a file. */
export const weightsExtensions: readonly string[] = Object.keys(formatOf);

const readers: {
  readonly [F in Format]: (
    bytes: Uint8Array,
    where: string,
    options: CheckpointOptions,
  ) => Map<string, Tensor>;
} = {
  torch: readTorchCheckpoint,
  safetensors: (bytes, where) => readSafetensors(bytes, where).tensors,
  npz: readNpz,
};

const described: { readonly [F in Format]: { readonly name: string; readonly extension: string } } =
  {
    torch: { name: 'a PyTorch checkpoint', extension: '.pt' },
    safetensors: { name: 'a safetensors file', extension: '.safetensors' },
    npz: { name: 'a NumPy archive', extension: '.npz' },
  };

function sniffZip(bytes: Uint8Array, where: string): Format | undefined {
  const names = [...readZipDirectory(bytes, where).keys()];
  if (names.some((name) => name.endsWith('/data.pkl'))) return 'torch';
  return names.some((name) => name.endsWith('.npy')) ? 'npz' : undefined;
}

/** What the content says it is, whatever the name; undefined where it says nothing clear. */
function sniff(bytes: Uint8Array, where: string): Format | undefined {
  if (isZip(bytes)) return sniffZip(bytes, where);
  if (isLegacyCheckpoint(bytes)) return 'torch';
  // A safetensors header is shorter than 4 GiB and begins with a brace.
  const brace = bytes.byteLength > 8 && bytes[8] === 0x7b;
  return brace && bytes.subarray(4, 8).every((b) => b === 0) ? 'safetensors' : undefined;
}

/**
 * Reads a weights file as name → tensor in file order: a PyTorch checkpoint (.pt, .pth), .safetensors
 * or .npz. Throws UsageError for another extension, InputError when the content is of another format
 * than the name says, damaged, or holds no tensors.
 */
export function readWeights(path: string, options: CheckpointOptions = {}): Map<string, Tensor> {
  const extension = extname(path).toLowerCase();
  const format = Object.hasOwn(formatOf, extension) ? formatOf[extension] : undefined;
  if (format === undefined) {
    throw new UsageError(`'${extension}' is no known kind of weights file`, {
      where: path,
      fix: `name a file ending in ${weightsExtensions.join(', ')}`,
    });
  }
  const bytes = readFileOrFail(path);
  const found = sniff(bytes, path);
  if (found !== undefined && found !== format) {
    throw new InputError(`is named ${extension} but holds ${described[found].name}`, {
      where: path,
      fix: `rename it to end in ${described[found].extension}`,
    });
  }
  if (isNpy(bytes)) {
    throw new InputError('holds a single .npy array, not named weights', {
      where: path,
      fix: 'write it with numpy.savez',
    });
  }
  const tensors = readers[format](bytes, path, options);
  if (tensors.size === 0) {
    throw new InputError('holds no tensors', { where: path, fix: 'choose another file' });
  }
  return tensors;
}
