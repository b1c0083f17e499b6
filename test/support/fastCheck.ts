import fc from '../../node_modules/fast-check/lib/fast-check.js';

/**
 * Stands for fast-check in the tests, by vitest.config.ts. `npm test` draws the same cases every time: a case that
 * somebody else's machine finds is of no use to whoever changes another file. `npm run test:properties` draws new ones.
 */
const { PROPERTY_RUNS: runs } = process.env;
fc.configureGlobal(runs === undefined ? { seed: 20180314 } : { numRuns: Number(runs) });

export * from '../../node_modules/fast-check/lib/fast-check.js';
export default fc;
