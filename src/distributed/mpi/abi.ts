/** How a family of MPI libraries is called: what its handles are, and the few that we use. */
export interface MpiAbi {
  /** The C type of a handle. */
  readonly handle: 'int' | 'void *';
  /** Numbers, or names of symbols whose address is the handle. */
  readonly handles: Readonly<Record<HandleName, number | string>>;
  /** A symbol that only these libraries have, or what they answer when asked for the version of their ABI. */
  readonly knownBy: string | { readonly abiVersion: number };
  /** MPI_THREAD_SERIALIZED: any thread may call, one at a time. */
  readonly serialized: number;
  /**
   * Milliseconds in which no rank is to call anything before MPI_Finalize. MPICH before 4.2 closes connections there and
   * then waits for the launcher, hearing nobody: whoever closes his later, for he was still busy, is never answered.
   */
  readonly quietMs?: number;
  /** What the log says besides the library's version. */
  readonly note?: string;
  /** File names, the most exact first. */
  readonly files: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>>;
}

export type HandleName = 'world' | 'byte' | 'float' | 'double' | 'sum' | 'errorsReturn';

/**
 * The families, in the order in which they are tried where nobody says which. Sources: mpi.h of Open MPI 4.1; of
 * MPICH 4.0, whose numbers Intel MPI, MVAPICH and Cray MPICH share; and chapter 20 of MPI 5.0, the ABI that any
 * library may have besides its own.
 */
export const mpiAbis = {
  openmpi: {
    handle: 'void *',
    handles: {
      world: 'ompi_mpi_comm_world',
      byte: 'ompi_mpi_byte',
      float: 'ompi_mpi_float',
      double: 'ompi_mpi_double',
      sum: 'ompi_mpi_op_sum',
      errorsReturn: 'ompi_mpi_errors_return',
    },
    knownBy: 'ompi_mpi_comm_world',
    serialized: 2,
    files: { linux: ['libmpi.so.40', 'libmpi.so'], darwin: ['libmpi.dylib'] },
  },
  mpich: {
    handle: 'int',
    handles: {
      world: 0x44000000,
      byte: 0x4c00010d,
      float: 0x4c00040a,
      double: 0x4c00080b,
      sum: 0x58000003,
      errorsReturn: 0x54000001,
    },
    knownBy: 'MPIR_Err_return_comm',
    serialized: 2,
    quietMs: 500,
    files: {
      linux: ['libmpich.so.12', 'libmpi.so.12', 'libmpich.so'],
      darwin: ['libmpi.12.dylib', 'libmpich.dylib'],
    },
  },
  standard: {
    handle: 'void *',
    handles: {
      world: 0x101,
      byte: 0x247,
      float: 0x210,
      double: 0x214,
      sum: 0x21,
      errorsReturn: 0x143,
    },
    knownBy: { abiVersion: 1 },
    serialized: 2048,
    note: 'by the MPI ABI',
    files: {
      linux: ['libmpi_abi.so.1', 'libmpi_abi.so'],
      darwin: ['libmpi_abi.1.dylib', 'libmpi_abi.dylib'],
    },
  },
} as const satisfies Record<string, MpiAbi>;

export type AbiName = keyof typeof mpiAbis;
