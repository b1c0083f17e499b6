import { fstatSync, writeSync } from 'node:fs';

/** Writes a whole chunk: the system may take a part of it, and says only the next time why. */
export function writeAll(fd: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.byteLength; ) {
    at += writeSync(fd, chunk, at, chunk.byteLength - at);
  }
}

const isRegularFile = (fd: number): boolean => {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
};

/**
 * Writes to standard output. What goes wrong is an `error` event of `process.stdout`, at once or later.
 * Node's own stream takes the part of a chunk that fitted on a full disk for the whole, so a file is written here.
 */
export function writeStandardOutput(text: string | Uint8Array): void {
  const { stdout } = process;
  if (!isRegularFile(1)) {
    stdout.write(text);
    return;
  }
  try {
    writeAll(1, typeof text === 'string' ? new TextEncoder().encode(text) : text);
  } catch (error) {
    stdout.emit('error', error);
  }
}
