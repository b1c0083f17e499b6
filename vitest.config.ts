import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (file: string): string => fileURLToPath(new URL(`src/${file}`, import.meta.url));

export default defineConfig({
  // The examples import the package by its name.
  resolve: {
    alias: [
      { find: /^swa-align\/vitest$/, replacement: source('vitest.ts') },
      { find: /^swa-align\/browser$/, replacement: source('browser.ts') },
      { find: /^swa-align$/, replacement: source('index.ts') },
    ],
  },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    setupFiles: ['./test/setup.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // A training step takes both cores for itself: files that run one must not be timed against others.
    maxWorkers: 2,
  },
});
