import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { NativeFunction } from '../../native/koffi.ts';
import { mpiAbis } from './abi.ts';
import { mpiCommunicator } from './mpiCommunicator.ts';

/** Names of what was called, in turn. */
const called: string[] = [];
/** Whether the other rank has come. */
let there = false;
/** What calls that begin something answer. */
let code = 0;
/** What MPI_Test answers. */
let testCode = 0;
/** Milliseconds: every look at the clock is a quarter of one later, and a test may move it. */
let now = 0;
const slept: number[] = [];

/** A library of two ranks. */
const library = {
  file: 'libmpi.so',
  abi: mpiAbis.mpich,
  handles: mpiAbis.mpich.handles,
  giveWay: () => {
    called.push('sched_yield');
  },
  sleep: (microseconds: number) => {
    slept.push(microseconds);
  },
  func(prototype: string): NativeFunction {
    const [name] = /MPI_\w+/.exec(prototype)!;
    const call = (...args: readonly unknown[]): number => {
      called.push(name);
      if (name === 'MPI_Test') {
        (args[1] as number[])[0] = Number(there);
        return testCode;
      }
      const out = args.at(-1) as number[];
      if (prototype.includes('MPI_Init_thread')) out[0] = mpiAbis.mpich.serialized;
      if (prototype.includes('MPI_Comm_size')) out[0] = 2;
      if (prototype.includes('MPI_Error_string')) {
        (args[1] as Uint8Array).set(new TextEncoder().encode('the network is gone\0'));
      }
      return name.startsWith('MPI_I') && name !== 'MPI_Init_thread' ? code : 0;
    };
    return Object.assign(call, {
      async: () => {
        throw new Error('no call waits in a thread');
      },
    });
  },
};

const tests = () => called.filter((name) => name === 'MPI_Test').length;

/** Until the library was asked twice more: whatever the first of them saw has been told. */
async function asked(): Promise<void> {
  const before = tests();
  while (tests() < before + 2) await pause(1);
}

const launch = { by: 'mpirun', size: 2, rank: 0, abi: 'mpich' } as const;

beforeEach(() => {
  called.length = 0;
  slept.length = 0;
  [there, code, testCode, now] = [false, 0, 0, 0];
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 0.25));
});
afterEach(() => {
  vi.restoreAllMocks();
});

test('a call that takes a minute is told, one that ends before is not', async () => {
  const told: string[] = [];
  const comm = mpiCommunicator(library, launch, (call) => told.push(call));
  const quick = comm.broadcast(new Float32Array(1));
  now = 59_000;
  there = true;
  await quick;
  there = false;
  const slow = comm.allreduce(new Float32Array(1), new Float32Array(1));
  now += 59_000;
  await asked();
  expect(told).toEqual([]);
  now += 2_000;
  await asked();
  expect(told).toEqual(['MPI_Iallreduce']);
  now += 600_000;
  await asked();
  there = true;
  await slow;
  expect(told).toHaveLength(1);
});

test('at a barrier others are waited for by right', async () => {
  const told: string[] = [];
  const comm = mpiCommunicator(library, launch, (call) => told.push(call));
  const met = comm.barrier();
  now = 3_600_000;
  await asked();
  there = true;
  await met;
  expect(told).toEqual([]);
});

test('who waits lets others have the core, sleeps the longer it waits, and hears signals', async () => {
  const comm = mpiCommunicator(library, launch);
  called.length = 0;
  let heard = Number.POSITIVE_INFINITY;
  setImmediate(() => {
    heard = now;
  });
  const begun = now;
  const waits = comm.allgather(new Float64Array(5));
  while (slept.length < 100) await pause(1);
  there = true;
  await waits;
  const yields = called.filter((name) => name === 'sched_yield').length;
  expect(yields).toBeGreaterThan(2);
  expect(called.slice(0, 3)).toEqual(['MPI_Iallgather', 'MPI_Test', 'sched_yield']);
  expect(slept[0]).toBeLessThan(50);
  expect(slept[99]).toBeGreaterThan(slept[0]);
  expect(Math.max(...slept)).toBeLessThan(1000);
  expect(heard - begun).toBeLessThan(3);
});

test('a call that fails says in the library’s words why', async () => {
  const comm = mpiCommunicator(library, launch);
  code = 15;
  await expect(comm.broadcast(new Float32Array(1))).rejects.toThrow(
    /MPI_Ibcast failed: the network is gone; look after/,
  );
});

test('an exchange that fails on its way says so', async () => {
  const comm = mpiCommunicator(library, launch);
  const fails = comm.broadcast(new Float32Array(1));
  await asked();
  testCode = 15;
  await expect(fails).rejects.toThrow(/MPI_Ibcast failed: the network is gone/);
});

test('a library that knows of other ranks than the launcher is refused', () => {
  expect(() => mpiCommunicator(library, { ...launch, size: 4 })).toThrow(
    /started 4 processes, and .* knows of 2; name the library of that launcher/,
  );
});

test('before the end all wait for each other, and then call nothing for a while', async () => {
  vi.restoreAllMocks();
  const comm = mpiCommunicator(library, launch);
  called.length = 0;
  const closed = comm.close();
  await asked();
  expect(called[0]).toBe('MPI_Ibarrier');
  there = true;
  const met = performance.now();
  await closed;
  expect(called.slice(-2)).toEqual(['MPI_Test', 'MPI_Finalize']);
  // A timer may come a millisecond early.
  expect(performance.now() - met).toBeGreaterThan(mpiAbis.mpich.quietMs - 2);
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
