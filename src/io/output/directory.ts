import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { UsageError } from '../../errors.ts';
import { fileError } from '../fileError.ts';
import { writeFileAtomic } from './atomicFile.ts';

/** Contents by path inside the directory, written with `/`. */
export type DirectoryFiles = ReadonlyMap<string, Uint8Array>;

const filesIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => !lstatSync(join(dir, name)).isDirectory())
    .map((name) => name.split(sep).join('/'));

/** Whether a directory holds just these files. */
function holds(dir: string, files: DirectoryFiles): boolean {
  const found = filesIn(dir);
  return (
    found.length === files.size &&
    found.every((name) => {
      const wanted = files.get(name);
      return wanted !== undefined && readFileSync(join(dir, name)).equals(wanted);
    })
  );
}

/** Whether there is room: nothing, or an empty directory. Throws UsageError for other things than these files. */
function isFree(dir: string, files: DirectoryFiles): boolean {
  if (!existsSync(dir)) return true;
  if (!statSync(dir).isDirectory()) {
    throw new UsageError('exists and is not a directory', {
      where: dir,
      fix: 'name a directory',
    });
  }
  if (readdirSync(dir).length === 0) return true;
  if (holds(dir, files)) return false;
  throw new UsageError('is not empty, and holds something else', {
    where: dir,
    fix: 'name another directory, or remove this one',
  });
}

/**
 * Writes a directory of files as one step: a directory beside it is filled, synced file by file, and takes the name
 * last. After any failure nothing is there that was not there before. A directory that holds just these files
 * already is left as it is: false. Throws UsageError for one that holds others, InputError where the disk refuses.
 */
export function writeDirectoryAtomic(path: string, files: DirectoryFiles): boolean {
  let temporary: string | undefined;
  try {
    const dir = existsSync(path) ? realpathSync(path) : resolve(path);
    if (!isFree(dir, files)) return false;
    mkdirSync(dirname(dir), { recursive: true });
    temporary = join(dirname(dir), `.${basename(dir)}-${randomBytes(8).toString('hex')}.tmp`);
    for (const [name, bytes] of files) writeFileAtomic(join(temporary, name), bytes);
    if (existsSync(dir)) rmdirSync(dir);
    renameSync(temporary, dir);
    return true;
  } catch (error) {
    throw fileError(path, error);
  } finally {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
}
