import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import type { CifarArchive } from '../cifarArchives.ts';
import { digestOfFile } from './digest.ts';
import { expectedBytes, fits } from './unpack.ts';

const sealSchema = z.strictObject({
  archive: z.string(),
  md5: z.string(),
  sha256: z.record(z.string(), z.string()),
});

/** Lies beside the unpacked files and says from which archive they are, and their checksums. */
const sealName = 'swa-align.json';

/** Writes down what the files of a freshly unpacked folder are, so that later damage shows. */
export async function seal(
  folder: string,
  archive: CifarArchive,
  signal: AbortSignal,
): Promise<void> {
  const sha256: Record<string, string> = {};
  for (const { name } of archive.members) {
    sha256[name] = await digestOfFile('sha256', join(folder, name), signal);
  }
  const text = JSON.stringify({ archive: archive.file, md5: archive.md5, sha256 }, undefined, 2);
  writeFileAtomic(join(folder, sealName), `${text}\n`);
}

function sealOf(folder: string): z.infer<typeof sealSchema> | undefined {
  try {
    const text = new TextDecoder().decode(readFileOrFail(join(folder, sealName)));
    return sealSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What is wrong with an unpacked folder; undefined when every byte is as it was unpacked. */
async function damageOf(
  folder: string,
  archive: CifarArchive,
  signal: AbortSignal,
): Promise<string | undefined> {
  const sealed = sealOf(folder);
  if (sealed === undefined) return `${sealName} is missing or damaged`;
  if (sealed.md5 !== archive.md5) return `it is from an archive with md5 ${sealed.md5}`;
  for (const member of archive.members) {
    const path = join(folder, member.name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) return `${member.name} is missing`;
    if (!status.isFile()) return `${member.name} is not a plain file`;
    if (!fits(member, status.size)) {
      return `${member.name} has ${status.size} bytes, not ${expectedBytes(member)}`;
    }
    const sha256 = await digestOfFile('sha256', path, signal);
    if (sha256 !== sealed.sha256[member.name]) return `${member.name} has changed`;
  }
  return undefined;
}

/** Whether the folder holds the data set, and if it holds something else, what is wrong with it. */
export async function inspect(
  folder: string,
  archive: CifarArchive,
  signal: AbortSignal,
): Promise<{ readonly whole: boolean; readonly damage?: string }> {
  if (!existsSync(folder)) return { whole: false };
  const damage = await damageOf(folder, archive, signal);
  return damage === undefined ? { whole: true } : { whole: false, damage };
}
