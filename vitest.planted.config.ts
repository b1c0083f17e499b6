import { defineConfig } from 'vitest/config';

/** `npm run test:planted`: the whole catalogue of planted bugs, as a table. */
export default defineConfig({
  test: {
    include: ['test/planted/*.planted.ts'],
    setupFiles: ['./test/setup.ts'],
    reporters: ['./test/planted/tableReporter.ts'],
    testTimeout: 600_000,
    maxWorkers: 1,
  },
});
