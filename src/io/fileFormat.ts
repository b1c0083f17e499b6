import { isNpy } from './numpy/npyHeader.ts';
import { torchRoot } from './torch/torchFile.ts';
import { isLegacyTorch } from './torch/torchLegacy.ts';
import { isZip, readZipDirectory } from './zip/zipDirectory.ts';

export type FileFormat = 'torch' | 'safetensors' | 'npz' | 'npy';

/** A safetensors header is shorter than 4 GiB and begins with a brace. */
const isSafetensors = (bytes: Uint8Array): boolean =>
  bytes.byteLength > 8 && bytes[8] === 0x7b && bytes.subarray(4, 8).every((b) => b === 0);

/**
 * What a file is by its content, whatever its name: people call checkpoints .pth.tar, .ckpt and .bin.
 * undefined where it is none of these. Throws InputError naming `where` for a damaged zip.
 */
export function fileFormat(bytes: Uint8Array, where: string): FileFormat | undefined {
  if (isZip(bytes)) {
    return torchRoot(readZipDirectory(bytes, where).keys()) === undefined ? 'npz' : 'torch';
  }
  if (isLegacyTorch(bytes)) return 'torch';
  if (isNpy(bytes)) return 'npy';
  return isSafetensors(bytes) ? 'safetensors' : undefined;
}
