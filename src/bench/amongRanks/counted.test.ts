import { expect, test } from 'vitest';
import { ranksInProcess } from '../../distributed/ranksInProcess.ts';
import { counted } from './counted.ts';

test('what a rank hands over is counted, and what comes back is left as it is', async () => {
  const ranks = ranksInProcess(2).map(counted);
  const told = await Promise.all(
    ranks.map(async ({ comm }) => {
      const order = Float64Array.of(comm.rank === 0 ? 7 : 0);
      await comm.broadcast(order);
      const sum = new Float32Array(2);
      await comm.allreduce(Float32Array.of(1, comm.rank), sum);
      return [order[0], ...sum, ...(await comm.allgather(Uint8Array.of(comm.rank))).flat()];
    }),
  );
  for (const values of told) expect(values.slice(0, 3)).toEqual([7, 2, 1]);
  for (const { taken } of ranks) {
    const { ms, bytes } = taken();
    expect(bytes).toBe(8 + 2 * 4 + 1);
    expect(ms).toBeGreaterThan(0);
    expect(taken()).toEqual({ ms: 0, bytes: 0 });
  }
});
