import { appendFileSync, openSync } from 'node:fs';
import { fileError } from '../fileError.ts';
import { readFileOrFail } from '../readFile.ts';
import { writeFileAtomic } from './atomicFile.ts';
import { destinationOf } from './destination.ts';
import { writeAll, writeStandard } from './standardOutput.ts';

/** A text file that grows while a program runs. */
export interface GrowingFile {
  /** Throws InputError when the disk does not take it. */
  add(text: string): void;
}

type Write = (text: string) => void;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function begun(path: string, begin: (earlier: string) => string): Write {
  const to = destinationOf(path);
  if (to.kind === 'file') {
    const earlier = to.old === undefined ? '' : new TextDecoder().decode(readFileOrFail(path));
    writeFileAtomic(path, bytes(begin(earlier)));
    return (text) => appendFileSync(path, text);
  }
  // Opened once: a pipe's reader takes the first time it is closed for its end.
  const fd = to.kind === 'standard' ? 0 : openSync(path, 'w');
  const write: Write =
    to.kind === 'standard'
      ? (text) => writeStandard(to.stream, text)
      : (text) => writeAll(fd, bytes(text));
  write(begin(''));
  return write;
}

/**
 * Begins a file, replaced in one step, with what `begin` makes of the text that a regular file has had so far,
 * '' where there is none. Links, devices, pipes and `-` are as for `writeFileAtomic`, and so are its errors.
 */
export function openGrowingFile(path: string, begin: (earlier: string) => string): GrowingFile {
  const guarded = <T>(act: () => T): T | undefined => {
    try {
      return act();
    } catch (error) {
      // A reader who has enough is no failure.
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') return undefined;
      throw fileError(path, error);
    }
  };
  const write = guarded(() => begun(path, begin));
  return { add: (text) => guarded(() => write?.(text)) };
}
