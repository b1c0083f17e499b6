import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

/* Packs the package once for all tests of it: each would build `dist` anew. */

export const root = fileURLToPath(new URL('..', import.meta.url));

/** What `npm pack` made. */
export interface Packed {
  readonly tarball: string;
  /** The files in it. */
  readonly files: readonly string[];
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly packed: Packed;
  }
}

/** What a command says on standard output. Throws where it fails. */
export function say(command: string, args: readonly string[], cwd: string): string {
  const { stdout, stderr, status } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    // The vitest that runs a test tells its children about itself, and some colour what CI reads.
    env: {
      ...Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^(VITEST|FORCE_COLOR)/.test(name)),
      ),
      NO_COLOR: '1',
    },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** Installs packages as a user would who lets no package run a script. */
export const install = (cwd: string, ...packages: readonly string[]): string =>
  say(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', ...packages],
    cwd,
  );

export default function pack(project: TestProject): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'swa-align-packed-'));
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const [{ filename, files }] = JSON.parse(
    say('npm', ['pack', '--json', '--pack-destination', directory], root).replace(/^[^[]*/, ''),
  ) as [{ filename: string; files: { path: string }[] }];
  const tarball = join(directory, filename);
  project.provide('packed', { tarball, files: files.map(({ path }) => path) });
  return () => rmSync(directory, { recursive: true, force: true });
}
