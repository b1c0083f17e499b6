/** What ranks exchange, where its length is the same on every rank. */
export type Numbers = Float32Array | Float64Array | Uint8Array;

/**
 * The processes (ranks) that work together, as one of them sees it. Every call but `abort` is collective: all ranks
 * make the same calls in the same order, one after the other. A call rejects with DeviceError where the network or
 * the library fails.
 */
export interface Communicator {
  /** From 0 on. */
  readonly rank: number;
  readonly size: number;
  /** What carries the data, for logs: library, version. */
  readonly description: string;
  /** Overwrites `data` by that of rank `root`. */
  broadcast(data: Numbers, root?: number): Promise<void>;
  /** Everybody's `own`, by rank. */
  allgather<T extends Numbers>(own: T): Promise<T[]>;
  /** Writes the element-wise sum of everybody's `own` to `sum`, other memory, in an order that the library chooses; the same bits on every rank. */
  allreduce<T extends Float32Array | Float64Array>(own: T, sum: T): Promise<void>;
  /** Waits for all, for minutes if need be, and leaves the core to others meanwhile. */
  barrier(): Promise<void>;
  /** Leaves in peace, together with all others. */
  close(): Promise<void>;
  /** Ends all ranks at once with this exit code, whatever they do; returns where only others could be ended. */
  abort(exitCode: number): void;
}

/** A new array of the same kind. */
export const blank = <T extends Numbers>(like: T, length = like.length): T =>
  new (like.constructor as new (length: number) => T)(length);
