import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { type DatasetName, datasetNames } from '../settings/trainingSettings.ts';

/*
 * Where a run found its data set lies in a file beside its checkpoints, not in them: the same run elsewhere
 * writes the same checkpoints, to the byte.
 */

const fileName = 'data.json';
const schema = z.object({ dataset: z.enum(datasetNames), path: z.string() });

/** Notes the directory that a run in `directory` reads its data set from. Throws InputError. */
export function noteDataPath(directory: string, dataset: DatasetName, path: string): void {
  const text = `${JSON.stringify({ dataset, path: resolve(path) })}\n`;
  writeFileAtomic(join(directory, fileName), text);
}

/**
 * The directory that the run in `directory` read this data set from; undefined where none was named. Throws
 * InputError when that directory is gone.
 */
export function notedDataPath(directory: string, dataset: DatasetName): string | undefined {
  const file = join(directory, fileName);
  if (!existsSync(file)) return undefined;
  const parsed = schema.safeParse(parsedJson(new TextDecoder().decode(readFileOrFail(file))));
  const fix = 'give the directory of the data set with --data-path';
  if (!parsed.success) {
    throw new InputError('does not say where the data set of the run is', { where: file, fix });
  }
  const { path } = parsed.data;
  if (parsed.data.dataset !== dataset) return undefined;
  if (existsSync(path)) return path;
  throw new InputError('the data set that the run began with is no longer there', {
    where: path,
    fix,
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
