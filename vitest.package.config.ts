import { defineConfig } from 'vitest/config';

/** `npm run test:package`: what `npm pack` makes, installed in an empty folder and used. */
export default defineConfig({
  test: { include: ['test/**/*.package.ts'], testTimeout: 300_000, hookTimeout: 300_000 },
});
