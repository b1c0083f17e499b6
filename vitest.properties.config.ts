import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** `npm run test:properties`: the property tests with new cases, many more than in `npm test`. */
export default mergeConfig(
  base,
  defineConfig({
    test: {
      env: { PROPERTY_RUNS: process.env.PROPERTY_RUNS ?? '1000' },
      testTimeout: 3_600_000,
    },
  }),
);
