import { extname } from 'node:path';
import { InputError } from '../errors.ts';
import type { Arrays } from './arrays.ts';
import { openNpy } from './npy.ts';
import { isNpy, parseNpyHeader } from './npyHeader.ts';
import { openNpz } from './npz.ts';
import { readFileOrFail } from './readFile.ts';
import { openReprodLog } from './reprodLog.ts';
import { readWeights, weightsExtensions } from './weights.ts';
import { isZip } from './zipDirectory.ts';

/**
 * Reads any file of named arrays by its content: reprod_log's (a dict pickled into a .npy), .npz, or a plain
 * .npy as one array called `(array)`; weights files (.pt, .safetensors) by their extension. Throws
 * InputError naming the file, and the array where one is at fault.
 */
export function readRecording(path: string): Arrays {
  const extension = extname(path).toLowerCase();
  if (extension !== '.npz' && weightsExtensions.includes(extension))
    return { tensors: readWeights(path), unread: new Map(), notes: [] };
  const bytes = readFileOrFail(path);
  if (isZip(bytes)) return openNpz(bytes, path);
  if (!isNpy(bytes)) {
    throw new InputError('is neither a .npz nor a .npy file', {
      where: path,
      fix: `name one that NumPy or reprod_log wrote, or a weights file (${weightsExtensions.join(', ')})`,
    });
  }
  return parseNpyHeader(bytes, path).descr === '|O'
    ? openReprodLog(bytes, path)
    : openNpy(bytes, path);
}
