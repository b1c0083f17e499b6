import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileError } from './fileError.ts';

function writeAll(fd: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.byteLength; ) {
    at += writeSync(fd, chunk, at, chunk.byteLength - at);
  }
}

/** Makes the rename itself durable; some systems cannot open or sync a directory. */
function syncDirectory(path: string): void {
  try {
    const fd = openSync(path, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The new file is whole either way; only the moment it becomes durable is left to the system.
  }
}

/**
 * Replaces `path` as one step: the bytes, or chunks as they are produced, go to a temporary file in
 * the same directory, are synced, and take the name last. After any failure the old file is
 * untouched and the temporary one gone. Throws InputError for a missing directory, a full disk or a
 * lack of permission; an error thrown by the chunks passes through.
 */
export function writeFileAtomic(path: string, content: Uint8Array | Iterable<Uint8Array>): void {
  const directory = dirname(path);
  const temporary = join(directory, `.tmp-${randomBytes(8).toString('hex')}`);
  const chunks = content instanceof Uint8Array ? [content] : content;
  let created = false;
  try {
    const fd = openSync(temporary, 'wx', 0o666);
    created = true;
    try {
      for (const chunk of chunks) writeAll(fd, chunk);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    if (created) rmSync(temporary, { force: true });
    throw fileError(path, error);
  }
  syncDirectory(directory);
}
