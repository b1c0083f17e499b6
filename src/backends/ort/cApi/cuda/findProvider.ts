import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DeviceError, UsageError } from '../../../../errors.ts';
import { bundledFolder, libraryIn } from '../library.ts';

/** The provider, and what it shares with the library: both lie in one folder. */
export const providerFiles = [
  'libonnxruntime_providers_cuda.so',
  'libonnxruntime_providers_shared.so',
] as const;

/** A provider of ONNX Runtime for NVIDIA's cards, and the library that is to load it. */
export interface FoundProvider {
  /** Where the provider's files lie. */
  readonly folder: string;
  readonly library: string;
  /** Of both. */
  readonly version: string;
  /** CUDA's libraries that the provider asks for, by file name. */
  readonly cuda: readonly string[];
}

/** Where to look. */
export interface Search {
  /** A folder that was named, and by what. */
  readonly given?: { readonly folder: string; readonly by: string } | undefined;
  /** Where `setup cuda` puts one. */
  readonly setUp?: string;
  /** Where Python finds its packages. */
  readonly sitePackages: readonly string[];
}

/** A package that holds the provider built for CUDA 13. */
export const providerPackage = 'com.github.asus4.onnxruntime.linux-x64-gpu';

/** A folder of a package that may not be installed. */
function folderOf(packageName: string, ...inside: readonly string[]): readonly string[] {
  try {
    const root = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
    return [join(root, ...inside)];
  } catch {
    return [];
  }
}

/** Where a provider may lie, in the order in which it is looked for. */
const foldersOf = ({ given, setUp, sitePackages }: Search): readonly string[] =>
  given !== undefined
    ? [given.folder]
    : [
        ...(setUp === undefined ? [] : [setUp]),
        bundledFolder(),
        ...folderOf(providerPackage, 'Plugins', 'Linux', 'x64'),
        ...sitePackages.map((folder) => join(folder, 'onnxruntime', 'capi')),
      ];

/** What a library says of itself. */
export interface Written {
  /** Of ONNX Runtime; undefined where it bears none. */
  readonly version?: string;
  /** CUDA's libraries that it asks for, by file name. */
  readonly cuda: readonly string[];
}

const chunkBytes = 1 << 24;
/** Texts of their own between zeros, no longer than `longest`. */
const [versionText, cudaName, longest] = [/^1\.\d{2}\.\d+$/, /^libcu\w+\.so\.\d+$/, 40];
const betweenZeros = /(?<=\0)[\w.]{5,40}(?=\0)/g;

/** Reads the texts in a library's file. */
export function writtenIn(file: string): Written {
  const texts = new Set<string>();
  const descriptor = openSync(file, 'r');
  try {
    const chunk = Buffer.alloc(chunkBytes);
    let before = '';
    for (let bytes = readSync(descriptor, chunk); bytes > 0; bytes = readSync(descriptor, chunk)) {
      const text = before + chunk.toString('latin1', 0, bytes);
      for (const [found] of text.matchAll(betweenZeros)) texts.add(found);
      before = text.slice(-longest);
    }
  } finally {
    closeSync(descriptor);
  }
  const version = [...texts].find((text) => versionText.test(text));
  // What it links to is written first; other versions of the same stand among its texts.
  const cuda = new Map<string, string>();
  for (const text of texts) {
    const [stem] = text.split('.');
    if (cudaName.test(text) && !cuda.has(stem)) cuda.set(stem, text);
  }
  return { ...(version && { version }), cuda: [...cuda.values()] };
}

const has = (folder: string): boolean =>
  providerFiles.every((file) => existsSync(join(folder, file)));

/**
 * Finds the provider, and the library of its version: that of its own folder, else the one that comes with
 * `onnxruntime-node`. Throws UsageError for a folder that was given and has none, DeviceError where there is none
 * or the versions differ.
 */
export function findProvider(search: Search): FoundProvider {
  const looked = foldersOf(search);
  const folder = looked.find(has);
  if (folder === undefined) {
    if (search.given !== undefined) {
      throw new UsageError(`has no ${missingIn(search.given.folder)}`, {
        where: `${search.given.by} ${search.given.folder}`,
        fix: "name the folder of ONNX Runtime's CUDA provider",
      });
    }
    throw new DeviceError('ONNX Runtime’s CUDA provider was not found', {
      fix: `npx swa-align setup cuda fetches it; --ort-library names the folder of another`,
    });
  }
  const library = libraryIn(folder) ?? libraryIn(bundledFolder());
  if (library === undefined) {
    throw new DeviceError('there is no ONNX Runtime for this machine', { where: folder });
  }
  const { version, cuda } = writtenIn(join(folder, providerFiles[0]));
  const own = writtenIn(library).version;
  if (version === undefined || version !== own) {
    throw new DeviceError(
      `the CUDA provider is of ONNX Runtime ${version ?? 'an unknown version'}, the library of ${own ?? 'another'}`,
      {
        where: folder,
        fix: 'npx swa-align setup cuda fetches both; --ort-library names a folder that has both',
      },
    );
  }
  return { folder, library, version, cuda };
}

const missingIn = (folder: string): string =>
  providerFiles.filter((file) => !existsSync(join(folder, file))).join(' and ');

/** The folders in which libraries of CUDA and cuDNN are looked for, beside those that the loader knows. */
export function cudaFolders(sitePackages: readonly string[]): readonly string[] {
  const inside = (folder: string, ...rest: readonly string[]): readonly string[] => {
    try {
      return readdirSync(folder).map((name) => join(folder, name, ...rest));
    } catch {
      return [];
    }
  };
  const toolkits = inside('/usr/local').filter((folder) => /\/cuda[^/]*$/.test(folder));
  return [
    ...sitePackages.flatMap((folder) => inside(join(folder, 'nvidia'), 'lib')),
    ...toolkits.flatMap((folder) => [join(folder, 'lib64'), join(folder, 'lib')]),
  ].filter((folder) => existsSync(folder));
}
