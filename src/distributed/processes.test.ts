import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { processesOf } from './processes.ts';
import { ranksInProcess } from './ranksInProcess.ts';

/** What one of several ranks is told, where the others are on these hosts by these processes. */
const toldAmong = (others: readonly (readonly [string, number])[]): Promise<string[]> => {
  const [comm] = ranksInProcess(1);
  const texts = others.map((other) => new TextEncoder().encode(JSON.stringify(other)));
  // Each rank brings its text as bytes, after the length of that.
  return processesOf({
    ...comm,
    size: 1 + others.length,
    allgather: async (own) => {
      const mine = own as Float64Array | Uint8Array;
      const theirs = texts.map((text) => {
        if (mine instanceof Float64Array) return Float64Array.of(text.length);
        const padded = new Uint8Array(mine.length);
        padded.set(text);
        return padded;
      });
      return [mine, ...theirs] as (typeof own)[];
    },
  });
};

test('the processes of ranks, by host', async () => {
  const own = `on ${hostname()}: process ${process.pid}`;
  expect(await Promise.all(ranksInProcess(1).map(processesOf))).toEqual([[`rank 0 ${own}`]]);
  expect(
    await toldAmong([
      ['b', 7],
      ['b', 9],
      ['c', 5],
    ]),
  ).toEqual([`rank 0 ${own}`, 'ranks 1 to 2 on b: processes 7, 9', 'rank 3 on c: process 5']);
  const [all] = await Promise.all(ranksInProcess(2).map(processesOf));
  expect(all).toEqual([`ranks 0 to 1 on ${hostname()}: processes ${process.pid}, ${process.pid}`]);
});
