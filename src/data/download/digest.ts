import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { fileError } from '../../io/fileError.ts';

/**
 * The checksum of a file as lower-case hexadecimal digits, piece by piece so that the event loop goes
 * on. Throws InputError where the file cannot be read, and the signal's reason when that aborts.
 */
export async function digestOfFile(
  kind: 'md5' | 'sha256',
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash(kind);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20, signal })) {
      hash.update(chunk as Buffer);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw fileError(path, error);
  }
  return hash.digest('hex');
}
