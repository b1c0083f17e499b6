import { readFileSync, statSync } from 'node:fs';
import { InputError } from '../errors.ts';
import { fileError } from './fileError.ts';

/**
 * A regular file's bytes. Throws InputError in one line when it is missing, a directory, not
 * permitted, or a device or pipe (which may have no end); `fix` says what to do about it.
 */
export function readFileOrFail(
  path: string,
  { fix }: { readonly fix?: string } = {},
): Uint8Array<ArrayBuffer> {
  try {
    const stats = statSync(path);
    if (!stats.isFile() && !stats.isDirectory()) {
      throw new InputError('is not a regular file', { where: path, fix: fix ?? 'name a file' });
    }
    const read = readFileSync(path);
    return new Uint8Array(read.buffer as ArrayBuffer, read.byteOffset, read.byteLength);
  } catch (error) {
    throw fileError(path, error, fix);
  }
}
