import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { DeviceError } from '../../errors.ts';
import type { NativeFunction } from '../../native/koffi.ts';
import { blank, type Communicator, type Numbers } from '../communicator.ts';
import type { Launch } from '../launcher.ts';
import type { MpiLibrary } from './openLibrary.ts';

/** No library of the families writes a longer text. */
const longestText = 8192;
/** Far longer than an exchange takes; whoever waits for longer by right waits at a barrier. */
const longMs = 60_000;
/** So long a rank only lets others have its core; then it sleeps, a hundredth of what it has waited, and 20 ms at most. */
const alertMs = 2;
const longestSleepMs = 20;
/** The longest that this thread hears no signals. */
const deafMs = 1;
/** Counts are C ints. */
const mostElements = 2 ** 31 - 1;

const textIn = (bytes: Uint8Array): string =>
  new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0))).split('\n')[0];

/** The first words of a library's own description: `Open MPI v4.1.4`, `MPICH 4.0.2`. */
const shortVersion = (text: string): string =>
  text
    .split(',')[0]
    .replace(/\s+(Version:)?\s*/g, ' ')
    .trim();

/**
 * All ranks that a launcher started, by the MPI library. Every exchange is begun and then asked for, again and again:
 * a library that waits itself does so busily, and where ranks are more than cores that takes the core from the rank
 * that it waits for. `onLongWait` is told the name of a call that takes a minute. Throws DeviceError where the library
 * does not start, or knows of other ranks than the launcher does.
 */
export function mpiCommunicator(
  library: MpiLibrary,
  launch: Launch,
  onLongWait: (call: string) => void = () => {},
): Communicator {
  const { handles, abi } = library;
  const functions = prototypes(library);
  const number = (call: (out: [number]) => number, name: string): number => {
    const out: [number] = [0];
    check(name, call(out));
    return out[0];
  };

  function check(name: string, code: number): void {
    if (code === 0) return;
    const text = new Uint8Array(longestText);
    functions.errorString(code, text, [0]);
    throw new DeviceError(`${name} failed: ${textIn(text) || `code ${code}`}`, {
      where: version,
      fix: 'look after the network and the other ranks',
    });
  }

  const versionText = new Uint8Array(longestText);
  functions.libraryVersion(versionText, [0]);
  const version = shortVersion(textIn(versionText));

  const given = number((out) => functions.init(null, null, abi.serialized, out), 'MPI_Init_thread');
  if (given < abi.serialized) {
    throw new DeviceError(`${version} was built for programs of one thread`, {
      where: library.file,
      fix: 'install one that gives MPI_THREAD_SERIALIZED',
    });
  }
  check('MPI_Comm_set_errhandler', functions.onError(handles.world, handles.errorsReturn));
  const rank = number((out) => functions.rank(handles.world, out), 'MPI_Comm_rank');
  const size = number((out) => functions.size(handles.world, out), 'MPI_Comm_size');
  if (launch.size !== undefined && launch.size !== size) {
    throw new DeviceError(
      `${launch.by} started ${launch.size} processes, and ${version} knows of ${size}`,
      { where: library.file, fix: 'name the library of that launcher by --mpi-library' },
    );
  }

  /** What exchanges work on until they are done: it must not be collected. One that failed may not be done. */
  const held = new Set<readonly unknown[]>();

  /** Begins an exchange and waits for its end; `long`: others may be waited for by right. */
  async function exchange(
    name: string,
    begin: NativeFunction,
    args: readonly unknown[],
    long = false,
  ): Promise<void> {
    // A handle is an int or an address: eight bytes hold either.
    const request = new BigUint64Array(1);
    const status = new Uint8Array(128);
    const all = [...args, request, status];
    check(name, begin(...args, request));
    held.add(all);
    const begun = performance.now();
    let told = long;
    for (let heard = begun; ; ) {
      const done: [number] = [0];
      check(name, functions.test(request, done, status));
      if (done[0] !== 0) break;
      const now = performance.now();
      const waited = now - begun;
      if (waited >= longMs && !told) {
        told = true;
        onLongWait(name);
      }
      const sleep = Math.min(waited / 100, longestSleepMs);
      if (waited < alertMs) library.giveWay();
      else if (sleep < 1) library.sleep(1000 * sleep);
      else await pause(sleep);
      if (now - heard < deafMs) continue;
      await turn();
      heard = now;
    }
    held.delete(all);
  }

  const typeOf = (data: Numbers) =>
    data instanceof Float32Array
      ? handles.float
      : data instanceof Float64Array
        ? handles.double
        : handles.byte;

  const counted = ({ length }: Numbers): number => {
    if (length <= mostElements) return length;
    throw new DeviceError(`${length} elements are more than MPI takes in one call`);
  };

  const barrier = () => exchange('MPI_Ibarrier', functions.barrier, [handles.world], true);

  return {
    rank,
    size,
    description: `${[version, abi.note].filter(Boolean).join(' ')}, ${size} ranks`,
    broadcast: (data, root = 0) =>
      exchange('MPI_Ibcast', functions.broadcast, [
        ...[data, counted(data), typeOf(data), root, handles.world],
      ]),
    async allgather(own) {
      const all = blank(own, own.length * size);
      const [type, count] = [typeOf(own), counted(own)];
      await exchange('MPI_Iallgather', functions.allgather, [
        ...[own, count, type, all, count, type, handles.world],
      ]);
      return Array.from(
        { length: size },
        (_, k) => all.subarray(k * own.length, (k + 1) * own.length) as typeof own,
      );
    },
    // Not in place: Open MPI would send all to one rank, and all back.
    allreduce: (own, sum) =>
      exchange('MPI_Iallreduce', functions.allreduce, [
        ...[own, sum, counted(own), typeOf(own), handles.sum, handles.world],
      ]),
    barrier,
    async close() {
      if (abi.quietMs !== undefined && size > 1) {
        await barrier();
        await pause(abi.quietMs);
      }
      check('MPI_Finalize', functions.finalize());
    },
    abort(exitCode) {
      functions.abort(handles.world, exitCode);
    },
  };
}

function prototypes({ func, abi: { handle } }: MpiLibrary) {
  return {
    libraryVersion: func('int MPI_Get_library_version(void *text, _Out_ int *length)'),
    init: func('int MPI_Init_thread(void *, void *, int wanted, _Out_ int *given)'),
    errorString: func('int MPI_Error_string(int code, void *text, _Out_ int *length)'),
    onError: func(`int MPI_Comm_set_errhandler(${handle} comm, ${handle} handler)`),
    rank: func(`int MPI_Comm_rank(${handle} comm, _Out_ int *rank)`),
    size: func(`int MPI_Comm_size(${handle} comm, _Out_ int *size)`),
    broadcast: func(
      `int MPI_Ibcast(void *data, int count, ${handle} type, int root, ${handle} comm, void *request)`,
    ),
    allgather: func(
      `int MPI_Iallgather(void *own, int sent, ${handle} sentType, void *all, int received, ${handle} receivedType, ${handle} comm, void *request)`,
    ),
    allreduce: func(
      `int MPI_Iallreduce(void *own, void *sum, int count, ${handle} type, ${handle} op, ${handle} comm, void *request)`,
    ),
    barrier: func(`int MPI_Ibarrier(${handle} comm, void *request)`),
    test: func('int MPI_Test(void *request, _Out_ int *done, void *status)'),
    finalize: func('int MPI_Finalize()'),
    abort: func(`int MPI_Abort(${handle} comm, int exitCode)`),
  };
}
