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

const descriptors = { stdout: 1, stderr: 2 } as const;

/** Standard output or standard error. */
export type StandardStream = keyof typeof descriptors;

/**
 * Writes to standard output or standard error. What goes wrong is an `error` event of the stream, at once or
 * later. Node's own stream takes the part of a chunk that fitted on a full disk for the whole, so a file is
 * written here.
 */
export function writeStandard(name: StandardStream, text: string | Uint8Array): void {
  const stream = process[name];
  if (!isRegularFile(descriptors[name])) {
    stream.write(text);
    return;
  }
  try {
    writeAll(descriptors[name], typeof text === 'string' ? new TextEncoder().encode(text) : text);
  } catch (error) {
    stream.emit('error', error);
  }
}
