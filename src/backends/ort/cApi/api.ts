import { DeviceError } from '../../../errors.ts';
import type { Koffi, NativeFunction, NativeLibrary, NativeType } from '../../../native/koffi.ts';
import {
  type ApiFunction,
  type FunctionName,
  functions,
  type Gives,
  type Parameter,
} from './functions.ts';

/** The version of the table that has all of `functions`: ONNX Runtime 1.24. */
const tableVersion = 24;

/** What a function of the library made: an address, to be released by the function of its kind. */
export type Handle = unknown;

/** What the pointers of `new` parameters came to be, in order. */
type Made = readonly [Handle, ...unknown[]];

export interface OrtApi {
  /** Of the library, such as `1.30.0`. */
  readonly version: string;
  /** Calls a function. Throws DeviceError with what the library says, where it fails. */
  call(name: FunctionName, ...args: readonly unknown[]): void;
  /** Calls a function that makes something: its last parameters, which it writes, are left out. */
  make(name: FunctionName, ...args: readonly unknown[]): Made;
  /** The same two, carried out in another thread: this one is free meanwhile. Keep `args` alive until then. */
  callAside(name: FunctionName, ...args: readonly unknown[]): Promise<void>;
  makeAside(name: FunctionName, ...args: readonly unknown[]): Promise<Made>;
  /** Where an array lies. */
  address(data: ArrayBufferView): bigint;
  /** What lies at an address, as text, or as so many addresses. */
  readText(at: Handle): string;
  readHandles(at: Handle, count: number): readonly Handle[];
}

/** Throws DeviceError where the library is not an ONNX Runtime, or too old. */
export function ortApi(koffi: Koffi, library: NativeLibrary): OrtApi {
  const address: NativeType = 'void *';
  const written = (of: NativeType): NativeType => koffi.out(koffi.pointer(of));
  const types: Readonly<Record<Parameter, NativeType>> = {
    handle: address,
    text: 'str',
    texts: koffi.pointer('str'),
    int: 'int',
    count: 'size_t',
    bytes: address,
    address,
    shape: 'int64_t *',
    new: written(address),
    newCount: written('size_t'),
  };
  const results: Readonly<Record<Gives, NativeType>> = {
    status: address,
    text: 'str',
    none: 'void',
    code: 'int',
  };
  const functionAt = <R>(
    table: Handle,
    at: number,
    result: NativeType,
    takes: readonly NativeType[],
  ) =>
    koffi.decode(
      koffi.decode(table, at * 8, address),
      koffi.proto(result, takes),
    ) as NativeFunction<R>;

  // OrtApiBase: GetApi, GetVersionString.
  const base = library.func<Handle>('void *OrtGetApiBase()')();
  const version = functionAt<string>(base, 1, 'str', [])();
  const table = functionAt<Handle>(base, 0, address, ['uint32_t'])(tableVersion);
  if (table === null) {
    throw new DeviceError(
      `ONNX Runtime ${version} is too old: 1.${tableVersion} or later is needed`,
    );
  }

  const found = new Map<FunctionName, NativeFunction<Handle>>();
  const of = (name: FunctionName): NativeFunction<Handle> => {
    const { at, takes, gives }: ApiFunction = functions[name];
    const known =
      found.get(name) ??
      functionAt<Handle>(
        table,
        at,
        results[gives],
        takes.map((kind) => types[kind]),
      );
    found.set(name, known);
    return known;
  };
  function check(name: FunctionName, status: Handle): void {
    if (functions[name].gives !== 'status' || status === null) return;
    const text = String(of('GetErrorMessage')(status));
    of('ReleaseStatus')(status);
    throw new DeviceError(text);
  }
  /** Places for what `name` writes. */
  const places = (name: FunctionName): [unknown][] =>
    (functions[name].takes as readonly Parameter[])
      .filter((kind) => kind === 'new' || kind === 'newCount')
      .map(() => [null]);
  const madeIn = (into: readonly [unknown][]) => into.map(([value]) => value) as unknown as Made;
  const aside = (name: FunctionName, args: readonly unknown[]): Promise<void> =>
    new Promise((resolve, reject) => {
      of(name).async(...args, (error: Error | null, status: Handle) => {
        try {
          if (error) throw error;
          check(name, status);
          resolve();
        } catch (failure) {
          reject(failure);
        }
      });
    });

  return {
    version,
    call: (name, ...args) => check(name, of(name)(...args)),
    make(name, ...args) {
      const into = places(name);
      check(name, of(name)(...args, ...into));
      return madeIn(into);
    },
    callAside: (name, ...args) => aside(name, args),
    async makeAside(name, ...args) {
      const into = places(name);
      await aside(name, [...args, ...into]);
      return madeIn(into);
    },
    address: (data) => koffi.address(data),
    readText: (at) => koffi.decode(at, 'char', -1) as string,
    readHandles: (at, count) =>
      Array.from({ length: count }, (_, i) => koffi.decode(at, i * 8, address)),
  };
}
