import { expect, test } from 'vitest';
import { ranksInProcess } from './ranksInProcess.ts';
import { meanOverRanks, reductions } from './reduce.ts';

test.each(reductions)('the %s mean of many numbers is that of each, on every rank', async (how) => {
  const length = 4_500_007;
  const means = await Promise.all(
    ranksInProcess(2).map((comm) => {
      const own = Float32Array.from({ length }, (_, i) => (comm.rank === 0 ? i : -3 * i));
      return meanOverRanks(comm, own, how);
    }),
  );
  // Halves and sums of whole numbers below 2²⁴ are exact in float32.
  for (const mean of means) expect(mean.findIndex((x, i) => x !== -i)).toBe(-1);
});
