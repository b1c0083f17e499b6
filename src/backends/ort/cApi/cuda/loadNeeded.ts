import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DeviceError } from '../../../../errors.ts';
import { firstLine, type Koffi, type NativeLibrary } from '../../../../native/koffi.ts';

/** What the loader says of a library that another one needs, or of the one itself. */
const missing = /(?:(lib[\w.+-]+\.so[.\d]*): )?cannot open shared object file/;

export const driver = 'libcuda.so.1';
const cuDnn = 'libcudnn.so.9';

/** What is loaded before the provider, besides the driver: what it links to, and cuDNN, which it opens by name later on. */
export const neededBy = (names: readonly string[]): readonly string[] => [
  ...new Set([...names.filter((name) => name !== driver), cuDnn]),
];

/**
 * Loads a library, and before it whatever it turns out to need, from `folders` where the loader does not know it. Gives
 * the name of what is in none of them. Throws DeviceError where a library is there and does not load.
 */
function tryLoading(
  koffi: Pick<Koffi, 'load'>,
  file: string,
  folders: readonly string[],
): { readonly library: NativeLibrary } | { readonly missing: string } {
  const tried = new Set<string>();
  for (;;) {
    try {
      return { library: koffi.load(file, { global: true }) };
    } catch (error) {
      const text = firstLine(error);
      const match = missing.exec(text);
      if (match === null) throw new DeviceError(text, { where: file });
      const name = match[1] ?? basename(file);
      const found = folders.map((folder) => join(folder, name)).find(existsSync);
      if (found === undefined || tried.has(name)) return { missing: name };
      tried.add(name);
      const loaded = tryLoading(koffi, found, folders);
      if ('missing' in loaded || name === basename(file)) return loaded;
    }
  }
}

/** Loads a library with all that it needs. Throws DeviceError that names what is nowhere. */
export function loadNeeding(
  koffi: Pick<Koffi, 'load'>,
  file: string,
  folders: readonly string[],
): NativeLibrary {
  const loaded = tryLoading(koffi, file, folders);
  if ('library' in loaded) return loaded.library;
  throw new DeviceError(`${loaded.missing} was not found`, { fix: remedyFor([loaded.missing]) });
}

/** Loads all of these, and names what is nowhere. Throws DeviceError where one is there and does not load. */
export function missingOf(
  koffi: Pick<Koffi, 'load'>,
  files: readonly string[],
  folders: readonly string[],
): readonly string[] {
  const loaded = files.map((file) => tryLoading(koffi, file, folders));
  return [...new Set(loaded.flatMap((one) => ('missing' in one ? one.missing : [])))];
}

/** The packages of Python in which libraries come, by how these are called. */
const pipPackages: readonly (readonly [RegExp, string])[] = [
  [/^libcudnn/, 'nvidia-cudnn-cu13'],
  [/^libcublas/, 'nvidia-cublas'],
  [/^libcurand/, 'nvidia-curand'],
  [/^libcufft/, 'nvidia-cufft'],
  [/^libcudart/, 'nvidia-cuda-runtime'],
];

/** Where people get what is missing. */
export function remedyFor(names: readonly string[]): string {
  if (names.includes(driver)) return "install NVIDIA's driver";
  const packages = names.map((name) => pipPackages.find(([of]) => of.test(name))?.[1]);
  if (packages.includes(undefined)) return 'install the CUDA toolkit and cuDNN';
  return `pip install ${[...new Set(packages)].join(' ')}`;
}
