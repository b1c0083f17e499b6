import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** `node …` that runs the command line. */
export const ourCommand: readonly string[] = [
  process.execPath,
  join(inject('compiled'), 'src', 'cli', 'main.js'),
];

/** The same with narrow networks, for what does not depend on their size; see test/soakRun.ts. */
export const narrowCommand = (): readonly string[] => [
  process.execPath,
  join(inject('compiled'), 'test', 'soakRun.js'),
];

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. `closed`: nobody reads its standard output, from the beginning on. */
export function runProcess(
  [file, ...argv]: readonly string[],
  { closed = false, env = {} }: { closed?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const child = spawn(file, argv, {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', SWA_ALIGN_DEBUG: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  if (closed) child.stdout.destroy();
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

/** A line of a Unix shell, in which `"$@"` is this command. */
export const shellOf = (line: string, command: readonly string[]): readonly string[] => [
  'sh',
  '-c',
  line,
  'sh',
  ...command,
];

/** A line of a Unix shell, in which `"$@"` is our command with these words. */
export const shell = (line: string, ...words: readonly string[]): readonly string[] =>
  shellOf(line, [...ourCommand, ...words]);
