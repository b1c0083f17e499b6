import { expect, test } from 'vitest';
import { ranksInProcess } from '../../distributed/ranksInProcess.ts';
import { tensor } from '../../tensor/tensor.ts';
import { meanOfGradients } from './meanOfGradients.ts';

const reductions = ['fast', 'exact'] as const;

/** Gradients of two ranks: `a` [2] and `b` [1], at these places of one piece of memory; the mean is 4 and 6, 8. */
async function meansOf(
  places: readonly [a: number, b: number],
  order: readonly string[],
  reduction: (typeof reductions)[number],
) {
  const memory = [0, 1].map(() => new Float32Array(5));
  const means = await Promise.all(
    ranksInProcess(2).map((comm) => {
      const own = memory[comm.rank];
      own.set(comm.rank === 0 ? [2, 4] : [6, 8], places[0]);
      own.set([comm.rank === 0 ? 6 : 10], places[1]);
      const view = (from: number, count: number) =>
        tensor('float32', [count], own.subarray(from, from + count));
      const gradients = new Map([
        ['a', view(places[0], 2)],
        ['b', view(places[1], 1)],
      ]);
      const bucket = order.map((name) => ({ name, count: name === 'a' ? 2 : 1 }));
      return meanOfGradients(comm, gradients, [bucket], reduction);
    }),
  );
  return { means, memory };
}

const cases = reductions.flatMap((reduction) =>
  (
    [
      ['one behind the other', [1, 3], ['a', 'b'], true],
      ['with a gap', [0, 3], ['a', 'b'], false],
      ['in another order than the bucket', [0, 2], ['b', 'a'], false],
    ] as const
  ).map(([what, ...rest]) => [`${what}, ${reduction}`, reduction, ...rest] as const),
);

test.each(cases)(
  'gradients that lie %s have their mean',
  async (_, reduction, places, order, inPlace) => {
    const { means, memory } = await meansOf(places, order, reduction);
    for (const [rank, mean] of means.entries()) {
      expect([...mean.get('a')!.data]).toEqual([4, 6]);
      expect([...mean.get('b')!.data]).toEqual([8]);
      for (const { data } of mean.values()) {
        expect(data.buffer === memory[rank].buffer).toBe(inPlace);
      }
    }
  },
);
