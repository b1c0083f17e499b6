import { defineConfig } from 'vitest/config';

/** `npm run test:package`: what `npm pack` makes, installed in an empty folder and used. */
export default defineConfig({
  test: {
    include: ['test/**/*.package.ts'],
    globalSetup: ['./test/pack.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
