import { defineConfig } from 'vitest/config';

/** `npm run test:soak`: what takes minutes. */
export default defineConfig({
  test: {
    include: ['test/**/*.soak.ts'],
    globalSetup: ['./test/compile.ts'],
    setupFiles: ['./test/setup.ts'],
    testTimeout: 1_800_000,
    maxWorkers: 1,
  },
});
