import type { Communicator, Numbers } from './communicator.ts';

/** Ranks of one process, which wait for each other as those of several do: what every rank brings is handed to all. */
export function ranksInProcess(size: number): Communicator[] {
  /** The exchanges that not all ranks have come to, by their number. */
  const open = new Map<
    number,
    {
      readonly brought: unknown[];
      readonly done: Promise<unknown[]>;
      readonly finish: (all: unknown[]) => void;
    }
  >();

  const rankOf = (rank: number): Communicator => {
    let turn = 0;
    const exchange = async <T>(what: string, own: T): Promise<T[]> => {
      const place = turn++;
      let here = open.get(place);
      if (here === undefined) {
        let finish: (all: unknown[]) => void = () => {};
        const done = new Promise<unknown[]>((resolve) => {
          finish = resolve;
        });
        here = { brought: [], done, finish };
        open.set(place, here);
      }
      here.brought[rank] = { what, own };
      if (Object.keys(here.brought).length === size) {
        open.delete(place);
        here.finish(here.brought);
      }
      const all = (await here.done) as { what: string; own: T }[];
      const other = all.find((one) => one.what !== what);
      if (other !== undefined) throw new Error(`rank ${rank} calls ${what}, another ${other.what}`);
      return all.map((one) => one.own);
    };
    const sent = <T extends Numbers>(data: T): T => data.slice() as T;
    return {
      rank,
      size,
      description: `${size} ranks in one process`,
      async broadcast(data, root = 0) {
        const all = await exchange(`broadcast of ${data.length}`, sent(data));
        data.set(all[root] as never);
      },
      // What arrives is the same array on all ranks, and theirs to read.
      allgather: (own) => exchange(`allgather of ${own.length}`, sent(own)),
      async allreduce(own, sum) {
        const all = await exchange(`allreduce of ${own.length}`, sent(own));
        sum.fill(0);
        for (const theirs of all) for (let i = 0; i < sum.length; i++) sum[i] += theirs[i];
      },
      async barrier() {
        await exchange('barrier', undefined);
      },
      close: async () => {},
      abort: () => {},
    };
  };
  return Array.from({ length: size }, (_, rank) => rankOf(rank));
}
