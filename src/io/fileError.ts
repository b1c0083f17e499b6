import { InputError } from '../errors.ts';

interface Cause {
  readonly what: string;
  readonly fix: string;
}

/** What the operating system's codes mean to the person who named the file. */
const causes: { readonly [code: string]: Cause } = {
  ENOENT: { what: 'no such file or directory', fix: 'check the path' },
  ENOTDIR: { what: 'a part of the path is not a directory', fix: 'check the path' },
  EEXIST: { what: 'exists and is not a directory', fix: 'give another name' },
  EISDIR: { what: 'is a directory, not a file', fix: 'name a file' },
  EACCES: { what: 'permission denied', fix: 'check the permissions' },
  EPERM: { what: 'operation not permitted', fix: 'check the permissions' },
  EROFS: { what: 'the file system is read-only', fix: 'choose another directory' },
  ENOSPC: { what: 'no space left on the disk', fix: 'free some space and try again' },
  EDQUOT: { what: 'the disk quota is used up', fix: 'free some space and try again' },
  EFBIG: { what: 'the file is too large for its file system', fix: 'choose another directory' },
  ENAMETOOLONG: { what: 'the path is too long', fix: 'choose a shorter name' },
  ELOOP: { what: 'too many symbolic links', fix: 'check the path' },
  EMFILE: { what: 'too many open files', fix: 'close some and try again' },
  ERR_FS_FILE_TOO_LARGE: { what: 'is larger than Node can read at once', fix: 'split the file' },
  ERR_INVALID_ARG_VALUE: { what: 'is not a valid path', fix: 'check the path' },
};

/**
 * The one-line InputError for a failed file operation; `fix` replaces the general advice. Errors
 * that carry no system code are not the file's and come back unchanged.
 */
export function fileError(path: string, error: unknown, fix?: string): unknown {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return error;
  const cause = causes[error.code] ?? {
    what: `the operation failed (${error.code})`,
    fix: 'check the file and its disk',
  };
  return new InputError(cause.what, { where: path, fix: fix ?? cause.fix });
}
