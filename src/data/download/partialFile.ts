import { rmSync, statSync } from 'node:fs';
import { z } from 'zod';
import { fileError } from '../../io/fileError.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { readFileOrFail } from '../../io/readFile.ts';

const originSchema = z.strictObject({
  url: z.string(),
  /** What the server says of the version it sent: a strong ETag, else Last-Modified. */
  validator: z.string().optional(),
  total: z.int().min(0).optional(),
});

/** What the bytes of a partial file are the beginning of. */
export type Origin = Readonly<z.infer<typeof originSchema>>;

const notePath = (path: string): string => `${path}.json`;

function originOf(path: string): Origin | undefined {
  try {
    const text = new TextDecoder().decode(readFileOrFail(notePath(path)));
    return originSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // A partial file whose origin nobody knows is worth nothing, whatever the cause.
    return undefined;
  }
}

const sizeOf = (path: string): number => {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.isFile() === true ? status.size : 0;
};

/** The bytes of `url` that are at `path` already, where more can be had of the same version. */
export function readPartial(
  path: string,
  url: string,
): { readonly bytes: number; readonly origin: Origin } | undefined {
  const origin = originOf(path);
  const bytes = sizeOf(path);
  if (origin === undefined || origin.url !== url || bytes === 0) return undefined;
  return { bytes, origin };
}

/** To be called when the file is empty and before its first byte: what comes will be of this origin. */
export const noteOrigin = (path: string, origin: Origin): void =>
  writeFileAtomic(notePath(path), JSON.stringify(origin));

/** Throws InputError where that is not permitted. */
export function discardPartial(path: string): void {
  try {
    rmSync(path, { force: true, recursive: true });
    rmSync(notePath(path), { force: true });
  } catch (error) {
    throw fileError(path, error);
  }
}
