import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: ['./test/setup.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // A training step takes both cores for itself: files that run one must not be timed against others.
    maxWorkers: 2,
  },
});
