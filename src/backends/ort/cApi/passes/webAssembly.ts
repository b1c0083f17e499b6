/** Memory that a module works on; shared, so that it stays in place when it grows. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  /** Throws RangeError where there is no more. */
  grow(pages: number): number;
}

/** What we use of the language's WebAssembly, which TypeScript knows only beside a browser. */
interface WebAssemblyApi {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => SharedMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, SharedMemory>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  validate(bytes: Uint8Array): boolean;
}

/** Undefined where Node was started with --jitless. */
export const webAssembly = (globalThis as unknown as { readonly WebAssembly?: WebAssemblyApi })
  .WebAssembly;
