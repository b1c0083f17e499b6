import { DeviceError, UsageError } from '../../errors.ts';
import {
  firstLine,
  keepLoaded,
  loadKoffi,
  type NativeFunction,
  type NativeLibrary,
} from '../../native/koffi.ts';
import { type AbiName, type HandleName, type MpiAbi, mpiAbis } from './abi.ts';

/** An MPI library in this process. */
export interface MpiLibrary {
  readonly file: string;
  readonly abi: Pick<MpiAbi, 'handle' | 'serialized' | 'quietMs' | 'note'>;
  readonly handles: Readonly<Record<HandleName, number | bigint>>;
  func(prototype: string): NativeFunction;
  /** Lets others have this core for a moment: whoever waits for it, or so many microseconds. */
  readonly giveWay: () => void;
  readonly sleep: (microseconds: number) => void;
}

const has = (library: NativeLibrary, symbol: string): boolean => {
  try {
    library.symbol(symbol);
    return true;
  } catch {
    return false;
  }
};

/**
 * The version of the MPI ABI that a library is called by; undefined where it is called by its own. Since MPI 5 each can
 * be asked, and symbols tell nothing: a library of the ABI has its family's, too.
 */
function abiVersionOf(library: NativeLibrary): number | undefined {
  if (!has(library, 'MPI_Abi_get_version')) return undefined;
  const ask = library.func('int MPI_Abi_get_version(_Out_ int *major, _Out_ int *minor)');
  const [major, minor] = [[0], [0]];
  return ask(major, minor) === 0 && major[0] >= 0 ? major[0] : undefined;
}

/** The family of a library that is loaded; undefined where it is no MPI that we know. */
function familyOf(library: NativeLibrary): MpiAbi | undefined {
  const version = abiVersionOf(library);
  return Object.values<MpiAbi>(mpiAbis).find(({ knownBy }) =>
    typeof knownBy === 'string'
      ? version === undefined && has(library, knownBy)
      : version === knownBy.abiVersion,
  );
}

/** Of the launcher's family, and the standard's, which may be of any. */
const filesOf = (abi: AbiName | undefined): readonly string[] =>
  Object.entries<MpiAbi>(mpiAbis)
    .filter(([name]) => abi === undefined || name === abi || name === 'standard')
    .flatMap(([, { files }]) => files[process.platform] ?? []);

/**
 * Loads the MPI library `named`, or the first known one of the launcher's family. Throws UsageError for a named file
 * that is not an MPI library, DeviceError where none is found.
 */
export async function openLibrary(
  named: string | undefined,
  family: AbiName | undefined,
): Promise<MpiLibrary> {
  const koffi = await loadKoffi('MPI is called');
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
        wrong.push(`${file}: neither Open MPI, nor of MPICH's family, nor of the MPI ABI`);
        continue;
      }
      keepLoaded(koffi, file);
      const handle = (of: number | string): number | bigint =>
        typeof of === 'number' ? of : koffi.address(library.symbol(of));
      const handles = Object.fromEntries(
        Object.entries(abi.handles).map(([name, of]) => [name, handle(of)]),
      ) as Record<HandleName, number | bigint>;
      const system = koffi.load(null);
      return {
        file,
        abi,
        handles,
        func: (prototype) => library.func(prototype),
        giveWay: system.func('int sched_yield()'),
        sleep: system.func('int usleep(unsigned int microseconds)'),
      };
    } catch (error) {
      wrong.push(firstLine(error));
    }
  }
  if (named !== undefined) {
    throw new UsageError(`is not an MPI library that can be loaded: ${wrong.join('; ')}`, {
      where: `--mpi-library ${named}`,
      fix: "name Open MPI's libmpi.so, MPICH's libmpich.so or either's libmpi_abi.so",
    });
  }
  throw new DeviceError(`no MPI library was found: ${wrong.join('; ') || process.platform}`, {
    fix: 'install Open MPI or MPICH, or name the file by --mpi-library',
  });
}
