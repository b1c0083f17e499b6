import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import LongestFirst from './test/longestFirst.ts';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const source = (path: string): string => file(`src/${path}`);

const files = (name: string): string[] =>
  ['src', 'test', 'examples'].map((folder) => `${folder}/**/${name}`);

export default defineConfig({
  // The examples import the package by its name.
  resolve: {
    alias: [
      { find: /^swa-align\/vitest$/, replacement: source('vitest.ts') },
      { find: /^swa-align\/browser$/, replacement: source('browser.ts') },
      { find: /^swa-align$/, replacement: source('index.ts') },
      // Threads and processes of backends begin with what test/compile.ts compiled.
      { find: /^\.\.\/builtModule\.ts$/, replacement: file('test/support/compiledModule.ts') },
      { find: /^fast-check$/, replacement: file('test/support/fastCheck.ts') },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: files('*.test.ts'),
          exclude: ['**/*.system.test.ts'],
          // They share the modules of their worker: half of their time was loading these for every file.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'system', include: files('*.system.test.ts') } },
    ],
    globalSetup: ['./test/compile.ts'],
    setupFiles: ['./test/setup.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    sequence: { sequencer: LongestFirst },
    // A training step takes both cores for itself: files that run one must not be timed against others.
    maxWorkers: 2,
  },
});
