import { fstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { StandardStream } from './standardOutput.ts';

/** Where a name leads, as a shell's `>` sees it. */
export type Destination =
  | { readonly kind: 'standard'; readonly stream: StandardStream }
  /** A device, a named pipe, a socket: nothing that could be replaced. */
  | { readonly kind: 'through' }
  | { readonly kind: 'directory' }
  /** `path` is no link; `old` is what lies there, a regular file. */
  | { readonly kind: 'file'; readonly path: string; readonly old?: Stats };

const mostLinks = 40;

/** The name that a link to nothing would give to a new file. */
function endOfLinks(path: string): string {
  let name = path;
  for (let n = 0; n < mostLinks; n++) {
    let next: string;
    try {
      next = readlinkSync(name);
    } catch {
      break;
    }
    name = resolve(realpathSync(dirname(name)), next);
  }
  return name;
}

/**
 * The standard stream that is open on just this: by `/dev/stdout`, which a socket allows nobody to open, or
 * by the name of the file that a shell sends it to. A device is the same for everybody who opens it.
 */
function standardStream(old: Stats): StandardStream | undefined {
  if (old.isCharacterDevice() || old.ino === 0) return undefined;
  const streams = [
    ['stdout', 1],
    ['stderr', 2],
  ] as const;
  const found = streams.find(([, fd]) => {
    try {
      const open = fstatSync(fd);
      return open.ino === old.ino && open.dev === old.dev;
    } catch {
      return false;
    }
  });
  return found?.[0];
}

/** Follows links; `-` is standard output. Throws the system's error where nothing can lie. */
export function destinationOf(path: string): Destination {
  if (path === '-') return { kind: 'standard', stream: 'stdout' };
  const old = statSync(path, { throwIfNoEntry: false });
  if (old === undefined) return { kind: 'file', path: endOfLinks(path) };
  const stream = standardStream(old);
  if (stream !== undefined) return { kind: 'standard', stream };
  if (old.isDirectory()) return { kind: 'directory' };
  return old.isFile() ? { kind: 'file', path: realpathSync(path), old } : { kind: 'through' };
}

/** Whether what is written there comes out of standard output. */
export const isStandardOutput = (path: string): boolean => {
  const to = destinationOf(path);
  return to.kind === 'standard' && to.stream === 'stdout';
};
