import { pathToFileURL } from 'node:url';
import { inject } from 'vitest';

/**
 * Stands for src/backends/worker/builtModule.ts in the tests, by vitest.config.ts: a thread or process of a backend begins
 * with what was compiled once for all test files, and not with a loader that compiles it anew.
 */
export const builtModule = (path: string): URL =>
  new URL(`src/backends/worker/${path}.js`, pathToFileURL(`${inject('compiled')}/`));
