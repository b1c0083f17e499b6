import { DeviceError, UsageError } from '../../errors.ts';
import { type AbiName, type HandleName, type MpiAbi, mpiAbis } from './abi.ts';

/** A function of a C library: called at once, or in a thread that calls back with its result. */
export interface NativeFunction {
  (...args: readonly unknown[]): number;
  async(...args: readonly unknown[]): void;
}

interface NativeLibrary {
  func(prototype: string): NativeFunction;
  /** Throws where there is none. */
  symbol(name: string): unknown;
}

/** What we use of the package, which need not be installed. */
interface Koffi {
  config(settings: { readonly async_stack_size: number }): void;
  load(file: string, options: { readonly global: boolean }): NativeLibrary;
  address(pointer: unknown): bigint;
}

const koffiPackage: string = 'koffi';

/** An MPI library in this process. */
export interface MpiLibrary {
  readonly file: string;
  readonly handleType: MpiAbi['handle'];
  readonly handles: Readonly<Record<HandleName, number | bigint>>;
  func(prototype: string): NativeFunction;
}

async function loadKoffi(): Promise<Koffi> {
  try {
    const loaded = (await import(koffiPackage)) as { readonly default: Koffi };
    const koffi = loaded.default;
    // MPI libraries put large buffers on the stack: in the 256 KiB that a call in a thread has by default, MPICH dies.
    koffi.config({ async_stack_size: 8 << 20 });
    return koffi;
  } catch (error) {
    throw new DeviceError(
      `MPI is called by the package koffi, which does not load: ${what(error)}`,
      {
        fix: 'npm install koffi',
      },
    );
  }
}

const what = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0];

/** The family of a library that is loaded; undefined where it is no MPI that we know. */
function familyOf(library: NativeLibrary): MpiAbi | undefined {
  return Object.values<MpiAbi>(mpiAbis).find(({ knownBy }) => {
    try {
      library.symbol(knownBy);
      return true;
    } catch {
      return false;
    }
  });
}

const filesOf = (abi: AbiName | undefined): readonly string[] =>
  Object.entries<MpiAbi>(mpiAbis)
    .filter(([name]) => abi === undefined || name === abi)
    .flatMap(([, { files }]) => files[process.platform] ?? []);

/**
 * Loads the MPI library `named`, or the first known one of the launcher's family. Throws UsageError for a named file
 * that is none, DeviceError where there is none.
 */
export async function openLibrary(
  named: string | undefined,
  family: AbiName | undefined,
): Promise<MpiLibrary> {
  const koffi = await loadKoffi();
  // UCX, below both families, replaces functions of the running program and its signal handlers, of which Node dies.
  process.env.UCX_MEM_EVENTS ??= 'n';
  process.env.UCX_ERROR_SIGNALS ??= '';
  const files = named === undefined ? filesOf(family) : [named];
  const wrong: string[] = [];
  for (const file of files) {
    try {
      // Open MPI's plug-ins look for its symbols in the whole process.
      const library = koffi.load(file, { global: true });
      const abi = familyOf(library);
      if (abi === undefined) {
        wrong.push(`${file}: neither Open MPI nor of MPICH's family`);
        continue;
      }
      const handle = (of: number | string): number | bigint =>
        typeof of === 'number' ? of : koffi.address(library.symbol(of));
      const handles = Object.fromEntries(
        Object.entries(abi.handles).map(([name, of]) => [name, handle(of)]),
      ) as Record<HandleName, number | bigint>;
      return {
        file,
        handleType: abi.handle,
        handles,
        func: (prototype) => library.func(prototype),
      };
    } catch (error) {
      wrong.push(what(error));
    }
  }
  if (named !== undefined) {
    throw new UsageError(`is no MPI library that can be loaded: ${wrong.join('; ')}`, {
      where: `--mpi-library ${named}`,
      fix: "name Open MPI's libmpi.so or MPICH's libmpich.so",
    });
  }
  throw new DeviceError(`no MPI library was found: ${wrong.join('; ') || process.platform}`, {
    fix: 'install Open MPI or MPICH, or name the file by --mpi-library',
  });
}
