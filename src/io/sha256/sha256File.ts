import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { fileError } from '../fileError.ts';

const chunkBytes = 2 ** 20;

/** The SHA-256 of a file, read piece by piece: a large one needs no memory for it. Throws InputError. */
export function sha256File(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const hash = createHash('sha256');
      const chunk = new Uint8Array(chunkBytes);
      for (let n = readSync(file, chunk); n > 0; n = readSync(file, chunk)) {
        hash.update(chunk.subarray(0, n));
      }
      return hash.digest('hex');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(path, error);
  }
}
