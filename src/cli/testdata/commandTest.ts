import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, vi } from 'vitest';

export interface CommandTest {
  /** A directory of the test file's own, gone after its last test. */
  readonly dir: string;
  /** What the command of the running test wrote to standard output and standard error. */
  readonly printed: string[];
  readonly errors: string[];
}

/** Registers the hooks of a test file that runs commands in this process. */
export function commandTest(name: string): CommandTest {
  const dir = mkdtempSync(join(tmpdir(), `swa-align-${name}-`));
  const printed: string[] = [];
  const errors: string[] = [];
  afterAll(() => rmSync(dir, { recursive: true }));
  beforeEach(() => {
    printed.length = 0;
    errors.length = 0;
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
    vi.spyOn(console, 'error').mockImplementation((text) => errors.push(String(text)));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
  return { dir, printed, errors };
}
