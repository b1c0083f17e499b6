import { setTimeout as pause } from 'node:timers/promises';
import { DeviceError } from '../../errors.ts';
import type { NativeFunction } from '../../native/koffi.ts';
import { blank, type Communicator, type Numbers } from '../communicator.ts';
import type { Launch } from '../launcher.ts';
import type { MpiLibrary } from './openLibrary.ts';

/** No library of the families writes a longer text. */
const longestText = 8192;
/** Far longer than an exchange takes; whoever waits for longer by right waits at a barrier. */
const longMs = 60_000;
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
 * All ranks that a launcher started, by the MPI library. Calls wait in threads of their own, so that this one hears
 * signals; `onLongWait` is told the name of one that takes a minute. Throws DeviceError where the library does not start, or knows of other ranks than the launcher does.
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

  /** The arrays that calls in threads work on: nothing else may hold them until these are done. */
  const held = new Set<readonly unknown[]>();

  /** Calls a function in a thread. */
  const call = (name: string, of: NativeFunction, ...args: unknown[]): Promise<void> =>
    new Promise((resolve, reject) => {
      held.add(args);
      const long = setTimeout(() => onLongWait(name), longMs).unref();
      of.async(...args, (error: Error | null, code: number) => {
        held.delete(args);
        clearTimeout(long);
        try {
          if (error) throw error;
          check(name, code);
          resolve();
        } catch (failure) {
          reject(failure);
        }
      });
    });

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

  async function barrier(): Promise<void> {
    // A handle is an int or an address: eight bytes hold either.
    const request = new BigUint64Array(1);
    const status = new Uint8Array(128);
    check('MPI_Ibarrier', functions.barrierBegin(handles.world, request));
    for (let waited = 0; ; waited++) {
      const done: [number] = [0];
      check('MPI_Test', functions.test(request, done, status));
      if (done[0] !== 0) return;
      await pause(Math.min(20, waited));
    }
  }

  return {
    rank,
    size,
    description: `${[version, abi.note].filter(Boolean).join(' ')}, ${size} ranks`,
    broadcast: (data, root = 0) =>
      call(
        'MPI_Bcast',
        functions.broadcast,
        data,
        counted(data),
        typeOf(data),
        root,
        handles.world,
      ),
    async allgather(own) {
      const all = blank(own, own.length * size);
      const [type, count] = [typeOf(own), counted(own)];
      await call(
        'MPI_Allgather',
        functions.allgather,
        own,
        count,
        type,
        all,
        count,
        type,
        handles.world,
      );
      return Array.from(
        { length: size },
        (_, k) => all.subarray(k * own.length, (k + 1) * own.length) as typeof own,
      );
    },
    allreduce: (data) =>
      call(
        'MPI_Allreduce',
        functions.allreduce,
        abi.inPlace,
        data,
        counted(data),
        typeOf(data),
        handles.sum,
        handles.world,
      ),
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
      `int MPI_Bcast(void *data, int count, ${handle} type, int root, ${handle} comm)`,
    ),
    allgather: func(
      `int MPI_Allgather(void *own, int sent, ${handle} sentType, void *all, int received, ${handle} receivedType, ${handle} comm)`,
    ),
    allreduce: func(
      `int MPI_Allreduce(intptr_t inPlace, void *data, int count, ${handle} type, ${handle} op, ${handle} comm)`,
    ),
    barrierBegin: func(`int MPI_Ibarrier(${handle} comm, void *request)`),
    test: func('int MPI_Test(void *request, _Out_ int *done, void *status)'),
    finalize: func('int MPI_Finalize()'),
    abort: func(`int MPI_Abort(${handle} comm, int exitCode)`),
  };
}
