import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { NativeFunction } from '../../native/koffi.ts';
import { mpiAbis } from './abi.ts';
import { mpiCommunicator } from './mpiCommunicator.ts';

/** What a call in a thread answers, as soon as it is let go. */
type Answer = (error: Error | null, code: number) => void;

const waiting: Answer[] = [];

/** Names of what was called, in turn. */
const called: string[] = [];
/** And when. */
const calledAt: number[] = [];

/** A library of two ranks whose calls in threads wait until the test answers. */
const library = {
  file: 'libmpi.so',
  abi: mpiAbis.mpich,
  handles: mpiAbis.mpich.handles,
  func(prototype: string): NativeFunction {
    const [name] = /MPI_\w+/.exec(prototype)!;
    const call = (...args: readonly unknown[]): number => {
      called.push(name);
      calledAt.push(performance.now());
      // The other rank has come by the third time that it is asked.
      if (name === 'MPI_Test') {
        (args[1] as number[])[0] = Number(called.filter((of) => of === name).length >= 3);
      }
      const out = args.at(-1) as number[];
      if (prototype.includes('MPI_Init_thread')) out[0] = mpiAbis.mpich.serialized;
      if (prototype.includes('MPI_Comm_size')) out[0] = 2;
      if (prototype.includes('MPI_Error_string')) {
        (args[1] as Uint8Array).set(new TextEncoder().encode('the network is gone\0'));
      }
      return 0;
    };
    return Object.assign(call, {
      async: (...args: readonly unknown[]) => {
        waiting.push(args.at(-1) as Answer);
      },
    });
  },
};

const launch = { by: 'mpirun', size: 2, rank: 0, abi: 'mpich' } as const;

beforeEach(() => {
  vi.useFakeTimers();
  waiting.length = 0;
  called.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

test('a call that takes a minute is told, one that ends before is not', async () => {
  const told: string[] = [];
  const comm = mpiCommunicator(library, launch, (call) => told.push(call));
  const quick = comm.broadcast(new Float32Array(1));
  vi.advanceTimersByTime(59_000);
  waiting[0](null, 0);
  await quick;
  const slow = comm.allreduce(new Float32Array(1));
  vi.advanceTimersByTime(59_000);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(2_000);
  expect(told).toEqual(['MPI_Allreduce']);
  waiting[1](null, 0);
  await slow;
  vi.advanceTimersByTime(600_000);
  expect(told).toHaveLength(1);
});

test('a call that fails says in the library’s words why', async () => {
  const comm = mpiCommunicator(library, launch);
  const failed = comm.broadcast(new Float32Array(1));
  waiting[0](null, 15);
  await expect(failed).rejects.toThrow(/MPI_Bcast failed: the network is gone; look after/);
});

test('a library that knows of other ranks than the launcher is refused', () => {
  expect(() => mpiCommunicator(library, { ...launch, size: 4 })).toThrow(
    /started 4 processes, and .* knows of 2; name the library of that launcher/,
  );
});

test('before the end all wait for each other, and then call nothing for a while', async () => {
  vi.useRealTimers();
  const comm = mpiCommunicator(library, launch);
  called.length = 0;
  const closed = comm.close();
  const met = ['MPI_Ibarrier', 'MPI_Test', 'MPI_Test', 'MPI_Test'];
  await closed;
  expect(called).toEqual([...met, 'MPI_Finalize']);
  const [before, end] = calledAt.slice(-2);
  // A timer may come a millisecond early.
  expect(end - before).toBeGreaterThan(mpiAbis.mpich.quietMs - 2);
});

test('a rank that is alone waits for nobody', async () => {
  const alone = {
    ...library,
    func(prototype: string): NativeFunction {
      const call = library.func(prototype);
      const one = (...args: readonly unknown[]): number => {
        const code = call(...args);
        if (prototype.includes('MPI_Comm_size')) (args.at(-1) as number[])[0] = 1;
        return code;
      };
      return Object.assign(one, { async: call.async });
    },
  };
  const comm = mpiCommunicator(alone, { ...launch, size: 1 });
  called.length = 0;
  await comm.close();
  expect(called).toEqual(['MPI_Finalize']);
});
