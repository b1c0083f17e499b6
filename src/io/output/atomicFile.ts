import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileError } from '../fileError.ts';
import { type Destination, destinationOf } from './destination.ts';
import { writeAll, writeStandard } from './standardOutput.ts';

type Chunks = Iterable<Uint8Array>;
type FileDestination = Extract<Destination, { kind: 'file' }>;

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

/** What the system says where a directory takes no new name, though a file in it may be written. */
const namesAreFixed: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV']);

function withOpen<T>(path: string, flags: string | number, use: (fd: number) => T, mode?: number) {
  const fd = openSync(path, flags, mode);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the rename itself durable; some systems cannot open or sync a directory. */
function syncDirectory(path: string): void {
  try {
    withOpen(path, 'r', fsyncSync);
  } catch {
    // The new file is whole either way; only the moment it becomes durable is left to the system.
  }
}

/** Gives the new file the old one's owner and mode. False where the owner cannot be kept. */
function takeAfter(fd: number, { uid, gid, mode }: Stats): boolean {
  const fresh = fstatSync(fd);
  try {
    if (fresh.uid !== uid || fresh.gid !== gid) fchownSync(fd, uid, gid);
  } catch (error) {
    if (codeOf(error) === 'EPERM') return false;
    throw error;
  }
  fchmodSync(fd, mode & 0o7777);
  return true;
}

function copy(from: number, to: number, begin: number, end: number): void {
  const block = new Uint8Array(1 << 20);
  for (let at = begin; at < end; ) {
    const read = readSync(from, block, 0, Math.min(block.length, end - at), at);
    for (let done = 0; done < read; ) {
      done += writeSync(to, block, done, read - done, at + done);
    }
    at += read;
  }
}

/**
 * Copies into the file itself, for one that has more than this name or an owner that a new file could not
 * have. What is longer than before goes first: where there is no room for it, it is cut off again, and
 * the old data stand.
 */
function rewrite(path: string, temporary: string): void {
  const into = (from: number) => (to: number) => {
    const [size, before] = [fstatSync(from).size, fstatSync(to).size];
    try {
      copy(from, to, before, size);
    } catch (error) {
      ftruncateSync(to, before);
      throw error;
    }
    copy(from, to, 0, Math.min(before, size));
    ftruncateSync(to, size);
    fsyncSync(to);
  };
  withOpen(temporary, 'r', (from) => withOpen(path, 'r+', into(from)));
}

/** Writes a new file beside the old one and syncs it; elsewhere where the directory takes none. */
function prepare({ path, old }: FileDestination, chunks: Chunks) {
  const name = `.tmp-${randomBytes(8).toString('hex')}`;
  const mode = old === undefined ? 0o666 : 0o600;
  const open = (directory: string): [number, string] => {
    const temporary = join(directory, name);
    return [openSync(temporary, 'wx', mode), temporary];
  };
  let opened: [number, string];
  try {
    opened = open(dirname(path));
  } catch (error) {
    if (old === undefined || !namesAreFixed.has(codeOf(error))) throw error;
    opened = open(tmpdir());
  }
  const [fd, temporary] = opened;
  try {
    for (const chunk of chunks) writeAll(fd, chunk);
    const fits = old === undefined || (takeAfter(fd, old) && old.nlink === 1);
    fsyncSync(fd);
    return { temporary, mayReplace: fits && dirname(temporary) === dirname(path) };
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function replace(to: FileDestination, chunks: Chunks): void {
  const { path, old } = to;
  if (old === undefined) mkdirSync(dirname(path), { recursive: true });
  // A rename asks the directory for permission, and whoever protected the file did not mean that.
  else accessSync(path, constants.W_OK);
  const { temporary, mayReplace } = prepare(to, chunks);
  try {
    if (mayReplace) {
      try {
        renameSync(temporary, path);
        syncDirectory(dirname(path));
        return;
      } catch (error) {
        if (old === undefined || !namesAreFixed.has(codeOf(error))) throw error;
      }
    }
    rewrite(path, temporary);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Into a device or a pipe. A reader who has enough ends it, as with standard output. */
function writeThrough(path: string, chunks: Chunks): void {
  withOpen(path, constants.O_WRONLY, (fd) => {
    try {
      for (const chunk of chunks) writeAll(fd, chunk);
    } catch (error) {
      if (codeOf(error) !== 'EPIPE') throw error;
    }
  });
}

/**
 * Writes a whole file, the bytes or chunks as they are produced, where a shell's `>` would: links are followed,
 * `-` is standard output, devices and pipes are written into, directories that are missing are made.
 *
 * A regular file is replaced as one step: a temporary file in the same directory is written, synced, given
 * the old one's mode and owner, and takes the name last. After any failure the old file is untouched and the
 * temporary one gone. A file with several names (hard links) keeps them all, as with `>`: the temporary
 * file is copied into it. So is one whose owner or directory allows no other way; only a crash amid
 * that copy leaves a mixture.
 *
 * Throws InputError for a full disk or a lack of permission; an error thrown by the chunks passes through.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array | Chunks): void {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const chunks = bytes instanceof Uint8Array ? [bytes] : bytes;
  try {
    const to = destinationOf(path);
    if (to.kind === 'standard') for (const chunk of chunks) writeStandard(to.stream, chunk);
    else if (to.kind === 'file') replace(to, chunks);
    else writeThrough(path, chunks);
  } catch (error) {
    throw fileError(path, error);
  }
}
