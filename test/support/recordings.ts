import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import { fixturesDirectory } from '../../src/fixtures.ts';
import { sha256Hex } from '../../src/io/sha256/sha256.ts';

/** Whether the directory is ours to fill: nobody has made it before. */
function claims(dir: string): boolean {
  try {
    mkdirSync(dir);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * The folder that a script fills by recorder.py: `python3 script FOLDER`, run once for all files of tests that ask, of
 * which the others wait. Nobody may change what is in it.
 */
export async function recordingsOf(script: string): Promise<string> {
  const sources = [script, join(fixturesDirectory, 'recorder.py')];
  const key = sha256Hex(Buffer.concat(sources.map((file) => readFileSync(file))));
  const all = join(inject('compiled'), 'recorded');
  mkdirSync(all, { recursive: true });
  const dir = join(all, `${basename(script, '.py')}-${key.slice(0, 16)}`);
  const [files, ended] = [join(dir, 'files'), join(dir, 'ended.json')];
  if (claims(dir)) {
    mkdirSync(files);
    const { status, stderr } = spawnSync('python3', [script, files], { encoding: 'utf8' });
    writeFileSync(`${ended}.new`, JSON.stringify({ status, stderr }));
    renameSync(`${ended}.new`, ended);
  }
  while (!existsSync(ended)) await pause(50);
  const { status, stderr } = JSON.parse(readFileSync(ended, 'utf8'));
  expect(status, stderr).toBe(0);
  return files;
}
