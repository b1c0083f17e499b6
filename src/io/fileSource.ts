import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { InputError } from '../errors.ts';
import { fileError } from './fileError.ts';
import type { ByteSource } from './safetensors/safetensors.ts';

/**
 * A file that is read piece by piece, each piece when it is asked for. Throws InputError in one line when it is
 * missing, no file, or was cut short since it was opened; `fix` says what to do about it.
 */
export function fileSource(path: string, fix: string): ByteSource {
  const guarded = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw fileError(path, error, fix);
    }
  };
  const stats = guarded(() => statSync(path));
  if (!stats.isFile()) throw new InputError('is not a regular file', { where: path, fix });
  return {
    byteLength: stats.size,
    read: (begin, end) =>
      guarded(() => {
        const file = openSync(path, 'r');
        try {
          const bytes = new Uint8Array(end - begin);
          let at = 0;
          while (at < bytes.length) {
            const read = readSync(file, bytes, at, bytes.length - at, begin + at);
            if (read === 0) throw new InputError('was cut short meanwhile', { where: path, fix });
            at += read;
          }
          return bytes;
        } finally {
          closeSync(file);
        }
      }),
  };
}
