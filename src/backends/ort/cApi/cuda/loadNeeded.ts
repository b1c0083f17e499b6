import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DeviceError } from '../../../../errors.ts';
import { firstLine, type Koffi, type NativeLibrary } from '../../../../native/koffi.ts';

/** What the loader says of a library that another one needs, or of the one itself. */
const missing = /(?:(lib[\w.+-]+\.so[.\d]*): )?cannot open shared object file/;

/**
 * Loads a library, and before it whatever it turns out to need, from `folders` where the loader does not know it. Throws
 * DeviceError that names what is in none of them.
 */
export function loadNeeding(
  koffi: Pick<Koffi, 'load'>,
  file: string,
  folders: readonly string[],
): NativeLibrary {
  const tried = new Set<string>();
  for (;;) {
    try {
      return koffi.load(file, { global: true });
    } catch (error) {
      const text = firstLine(error);
      const match = missing.exec(text);
      if (match === null) throw new DeviceError(text, { where: file });
      const name = match[1] ?? basename(file);
      const found = folders.map((folder) => join(folder, name)).find(existsSync);
      if (found === undefined || tried.has(name)) {
        throw new DeviceError(`${name} was not found`, { fix: fixFor(name) });
      }
      tried.add(name);
      const library = loadNeeding(koffi, found, folders);
      if (name === basename(file)) return library;
    }
  }
}

/** Where people get what is missing, by how it is called. */
const sources: readonly (readonly [RegExp, string])[] = [
  [/^libcuda\./, "install NVIDIA's driver"],
  [/^libcudnn/, 'pip install nvidia-cudnn-cu13'],
  [/^libcublas/, 'pip install nvidia-cublas'],
  [/^libcurand/, 'pip install nvidia-curand'],
  [/^libcufft/, 'pip install nvidia-cufft'],
  [/^libcudart/, 'pip install nvidia-cuda-runtime'],
];

const fixFor = (name: string): string =>
  sources.find(([of]) => of.test(name))?.[1] ?? 'install the CUDA toolkit and cuDNN';
