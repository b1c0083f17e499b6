import { createRequire } from 'node:module';
import { DeviceError } from '../../errors.ts';

const require = createRequire(import.meta.url);

/** The exact release that everything of TensorFlow.js has to be of: its parts share one engine. */
export const tfjsVersion = '4.22.0';

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** A package that only some users need. Throws DeviceError, with `fix`, where it is not installed. */
export async function optionalPackage<T>(name: string, fix: string): Promise<T> {
  try {
    require.resolve(name);
  } catch (error) {
    if (codeOf(error) !== 'MODULE_NOT_FOUND') throw error;
    throw new DeviceError(`this device needs the package ${name}, which is not installed`, { fix });
  }
  const loaded = (await import(name)) as T & { readonly default?: T };
  // What a CommonJS module exports is its default, seen from here.
  return loaded.default ?? loaded;
}
