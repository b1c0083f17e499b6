import type { TensorMap } from '../../tensor/tensor.ts';
import { writeFileAtomic } from '../output/atomicFile.ts';
import { readFileOrFail } from '../readFile.ts';
import { readSafetensors, type Safetensors, safetensorsChunks } from './safetensors.ts';

/** Writes a .safetensors file in one atomic step, without a second copy of the tensors. */
export const writeSafetensorsTo = (
  path: string,
  tensors: TensorMap,
  metadata: Readonly<Record<string, string>> = {},
): void => writeFileAtomic(path, safetensorsChunks(tensors, metadata));

/** Reads one .safetensors file; throws InputError when it is missing, damaged or of another kind. */
export const readSafetensorsFile = (path: string): Safetensors =>
  readSafetensors(readFileOrFail(path), path);
