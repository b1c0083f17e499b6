import { closeSync, createReadStream, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { InputError } from '../../errors.ts';
import { fileError } from '../../io/fileError.ts';
import type { ArchiveMember, CifarArchive } from '../cifarArchives.ts';

const fix = 'delete it, so that the next run fetches it again';

interface Target {
  readonly member: ArchiveMember;
  written: number;
  descriptor: number | undefined;
}

const mostOf = ({ bytes }: ArchiveMember): number =>
  typeof bytes === 'number' ? bytes : bytes.atMost;

/** Whether a file of so many bytes can be this member. */
export const fits = ({ bytes }: ArchiveMember, size: number): boolean =>
  typeof bytes === 'number' ? size === bytes : size >= 1 && size <= bytes.atMost;

export const expectedBytes = ({ bytes }: ArchiveMember): string =>
  typeof bytes === 'number' ? `${bytes}` : `1 to ${bytes.atMost}`;

const plainFile = new Set(['File', 'OldFile', 'ContiguousFile']);
const folderKinds = new Set(['Directory', 'GNUDumpDir']);

/** A path that stays inside the archive's own folder, in one spelling: `folder/name` → `name`. */
function insideFolder(path: string, folder: string): string | undefined {
  const [first, ...rest] = path
    .replace(/^(\.\/)+/, '')
    .replace(/\/+$/, '')
    .split('/');
  const odd = rest.some((part) => part === '' || part === '.' || part === '..');
  return first === folder && !odd ? rest.join('/') : undefined;
}

/** What is to be written of an entry. Throws InputError for one that no data set has. */
function targetOf(
  { path, type, size }: ReadEntry,
  archive: CifarArchive,
  targets: ReadonlyMap<string, Target>,
  where: string,
): Target | undefined {
  const shown = JSON.stringify(path);
  const name = insideFolder(path, archive.layout.folder);
  if (name === undefined) {
    throw new InputError(`its member ${shown} is outside ${archive.layout.folder}/`, {
      where,
      fix,
    });
  }
  if (folderKinds.has(type)) return undefined;
  if (!plainFile.has(type)) {
    throw new InputError(`its member ${shown} is not a plain file (${type})`, { where, fix });
  }
  const target = targets.get(name);
  // What else lies in the folder, such as readme.html, is passed over.
  if (target === undefined) return undefined;
  if (target.written > 0 || target.descriptor !== undefined) {
    throw new InputError(`its member ${shown} comes twice`, { where, fix });
  }
  if (!fits(target.member, size)) {
    throw new InputError(
      `its member ${shown} has ${size} bytes, not ${expectedBytes(target.member)}`,
      { where, fix },
    );
  }
  return target;
}

/** Writes what comes of an entry to the file of its target; all of it happens while the parser is fed. */
function receive(entry: ReadEntry, target: Target, path: string, where: string): void {
  const onDisk = <T>(operation: () => T): T => {
    try {
      return operation();
    } catch (error) {
      throw fileError(path, error);
    }
  };
  // The name is one of ours, the directory is fresh, and an existing file would be an error.
  const descriptor = onDisk(() => openSync(path, 'wx'));
  target.descriptor = descriptor;
  entry.on('data', (chunk: Uint8Array) => {
    target.written += chunk.byteLength;
    if (target.written > mostOf(target.member)) {
      throw new InputError(`its member ${entry.path} is longer than it says`, { where, fix });
    }
    for (let at = 0; at < chunk.byteLength; ) {
      at += onDisk(() => writeSync(descriptor, chunk, at));
    }
  });
  entry.on('end', () => {
    onDisk(() => fsyncSync(descriptor));
    closeSync(descriptor);
    target.descriptor = undefined;
  });
}

/** Feeds the tar parser; a failure in one of its handlers comes out of `write`. */
async function parse(
  file: string,
  onEntry: (entry: ReadEntry) => void,
  where: string,
  signal: AbortSignal,
): Promise<void> {
  const parser = new Parser({ strict: true, zstd: false, brotli: false });
  let failure: unknown;
  parser.on('error', (error: unknown) => {
    failure ??= error;
  });
  let over = false;
  parser.on('eof', () => {
    over = true;
  });
  parser.on('entry', onEntry);
  parser.on('ignoredEntry', onEntry);
  const source = createReadStream(file, { highWaterMark: 2 ** 18 });
  const unzipped = createGunzip({ chunkSize: 2 ** 18 });
  source.on('error', (error) => unzipped.destroy(fileError(file, error) as Error));
  source.pipe(unzipped);
  try {
    for await (const chunk of unzipped) {
      if (signal.aborted) throw signal.reason;
      // The parser would keep whatever follows the end in memory; gunzip checks it all the same.
      if (!over) parser.write(chunk as Buffer);
      if (failure !== undefined) throw failure;
    }
    parser.end();
    if (failure !== undefined) throw failure;
  } catch (error) {
    if (error instanceof InputError || signal.aborted) throw error;
    throw new InputError(`damaged archive (${(error as Error).message})`, { where, fix });
  } finally {
    source.destroy();
    unzipped.destroy();
  }
}

/**
 * Unpacks the members that a data set consists of into `into`, a fresh directory, under our own names:
 * no name, link or device of the archive ever reaches the file system. Throws InputError, naming the
 * archive and the member, for a path outside the archive's folder, anything but plain files and folders,
 * a wrong size, a member that comes twice or is missing, and a damaged archive; and for a full disk.
 */
export async function unpack(
  archive: CifarArchive,
  file: string,
  into: string,
  signal: AbortSignal,
): Promise<void> {
  const targets = new Map<string, Target>(
    archive.members.map((member) => [member.name, { member, written: 0, descriptor: undefined }]),
  );
  const onEntry = (entry: ReadEntry): void => {
    const target = targetOf(entry, archive, targets, file);
    if (target === undefined) entry.resume();
    else receive(entry, target, join(into, target.member.name), file);
  };
  try {
    await parse(file, onEntry, file, signal);
  } finally {
    for (const { descriptor } of targets.values()) {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }
  for (const { member, written } of targets.values()) {
    if (!fits(member, written)) {
      throw new InputError(`${written === 0 ? 'lacks' : 'holds only a part of'} ${member.name}`, {
        where: file,
        fix,
      });
    }
  }
}
