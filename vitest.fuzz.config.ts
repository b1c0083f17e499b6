import { defineConfig } from 'vitest/config';

/** `npm run test:fuzz`: thousands of damaged files for every reader. */
export default defineConfig({
  test: {
    include: ['test/**/*.fuzz.ts'],
    setupFiles: ['./test/setup.ts'],
    testTimeout: 3_600_000,
    maxWorkers: 1,
  },
});
