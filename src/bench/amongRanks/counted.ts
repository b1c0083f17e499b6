import type { Communicator, Numbers } from '../../distributed/communicator.ts';

/** What a rank has exchanged: the milliseconds that it waited for it, and the bytes that it handed over. */
export interface Exchanged {
  readonly ms: number;
  readonly bytes: number;
}

/** A communicator that counts; `taken` gives what it has counted since it was last asked. */
export function counted(comm: Communicator): { comm: Communicator; taken(): Exchanged } {
  let [ms, bytes] = [0, 0];
  const timed = async <T>(data: Numbers, call: () => Promise<T>): Promise<T> => {
    const began = performance.now();
    const result = await call();
    ms += performance.now() - began;
    bytes += data.byteLength;
    return result;
  };
  return {
    comm: {
      ...comm,
      broadcast: (data, root) => timed(data, () => comm.broadcast(data, root)),
      allgather: (own) => timed(own, () => comm.allgather(own)),
      allreduce: (own, sum) => timed(own, () => comm.allreduce(own, sum)),
    },
    taken() {
      const found = { ms, bytes };
      [ms, bytes] = [0, 0];
      return found;
    },
  };
}
