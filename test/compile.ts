import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A directory with src/ and test/soakRun.ts in JavaScript. */
    compiled: string;
  }
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** A process that compiles nothing is there in a third of the time, and tests start hundreds. */
function compile(dir: string): void {
  const settings = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { noEmit: false, noCheck: true, rootDir: root, outDir: dir },
    files: [join(root, 'test', 'soakRun.ts')],
    // Not only what the script imports: a backend's thread names its file by a URL.
    include: [join(root, 'src')],
    exclude: [join(root, 'src', '**', '*.test.ts')],
  };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(settings));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = spawnSync(process.execPath, [compiler, '-p', dir], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`${compiled.stdout}${compiled.stderr}`);
}

/** Compiles once before all test files, and again before they run again. */
export default function setup(project: TestProject): (() => void) | undefined {
  // The projects below inherit this from the root, and are provided with what it provides.
  if (!project.isRootProject()) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'swa-align-compiled-'));
  for (const name of ['node_modules', 'fixtures']) symlinkSync(join(root, name), join(dir, name));
  cpSync(join(root, 'package.json'), join(dir, 'package.json'));
  compile(dir);
  project.provide('compiled', dir);
  project.onTestsRerun(() => compile(dir));
  return () => rmSync(dir, { recursive: true, force: true });
}
