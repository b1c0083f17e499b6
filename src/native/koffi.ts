import { createRequire } from 'node:module';
import { DeviceError } from '../errors.ts';

/** A function of a C library: called at once, or in a thread that calls back with its result. */
export interface NativeFunction<Result = number> {
  (...args: readonly unknown[]): Result;
  async(...args: readonly unknown[]): void;
}

/** A C type. */
export type NativeType = string | { readonly nativeType: never };

export interface NativeLibrary {
  func<Result = number>(prototype: string): NativeFunction<Result>;
  /** Throws where there is none. */
  symbol(name: string): unknown;
}

/** What we use of the package, which need not be installed. */
export interface Koffi {
  config(): { readonly async_stack_size: number };
  /** Refused once anything was called. */
  config(settings: { readonly async_stack_size: number }): unknown;
  /** null: the program itself. `global`: its symbols are seen by every library that is loaded later. */
  load(file: string | null, options?: { readonly global: boolean }): NativeLibrary;
  address(pointer: unknown): bigint;
  /** The memory at a pointer, without a copy: whoever allocated it keeps it. */
  view(pointer: unknown, bytes: number): ArrayBuffer;
  proto(result: NativeType, parameters: readonly NativeType[]): NativeType;
  pointer(of: NativeType): NativeType;
  /** A pointer that the function writes to: it is given an array of one element. */
  out(pointer: NativeType): NativeType;
  decode(pointer: unknown, type: NativeType): unknown;
  decode(pointer: unknown, offset: number, type: NativeType): unknown;
  /** -1: as many as stand before a zero; of `char`, a text. */
  decode(pointer: unknown, type: NativeType, length: number): unknown;
}

const koffiPackage: string = 'koffi';

/** Whether the package is installed: asked before anything is begun that needs it. */
export function hasKoffi(): boolean {
  try {
    createRequire(import.meta.url).resolve(koffiPackage);
    return true;
  } catch {
    return false;
  }
}

/**
 * What a call in a thread has for its stack. koffi's own 128 KiB are too few: kernels of ONNX
 * Runtime come near.
 */
const stackBytes = 8 << 20;

/** Throws DeviceError where it is not installed: `whatFor` begins the sentence. */
export async function loadKoffi(whatFor: string): Promise<Koffi> {
  try {
    const { default: koffi } = (await import(koffiPackage)) as { readonly default: Koffi };
    if (koffi.config().async_stack_size < stackBytes) {
      koffi.config({ async_stack_size: stackBytes });
    }
    return koffi;
  } catch (error) {
    throw new DeviceError(
      `${whatFor} by the package koffi, which does not load: ${firstLine(error)}`,
      { fix: 'npm install koffi' },
    );
  }
}

/** The first line of what was thrown. */
export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0];

/** RTLD_NOW, on Linux and macOS. */
const resolveNow = 2;

/**
 * Keeps a library that is loaded until the process ends. koffi lets go of it before that, and threads that have called
 * it jump into it once more when they end: Open MPI between hosts dies of that after the last line of a run.
 */
export function keepLoaded(koffi: Koffi, file: string): void {
  if (process.platform === 'win32') return;
  const open = koffi.load(null).func('void *dlopen(const char *file, int flags)');
  open(file, resolveNow);
}
