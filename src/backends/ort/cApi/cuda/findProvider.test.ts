import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeviceError, UsageError } from '../../../../errors.ts';
import { bundledFolder, libraryIn } from '../library.ts';
import { cudaFolders, findProvider, providerFiles, writtenIn } from './findProvider.ts';
import { loadNeeding, missingOf, neededBy, remedyFor } from './loadNeeded.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'provider-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A file that holds these texts as a library does: between zeros, after other bytes. */
function library(folder: string, name: string, texts: readonly string[], before = 0): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(
    file,
    Buffer.concat([Buffer.alloc(before, 1), Buffer.from(`\0${texts.join('\0')}\0`)]),
  );
  return file;
}

function provider(folder: string, version: string, cuda: readonly string[] = []): string {
  for (const file of providerFiles) library(folder, file, [...cuda, version]);
  return folder;
}

describe('what a library says of itself', () => {
  it('is read from the library that comes with onnxruntime-node', () => {
    expect(writtenIn(libraryIn(bundledFolder())!).version).toBe('1.30.0');
  });

  it('is found across the pieces in which a file is read, and only as a text of its own', () => {
    const piece = 1 << 24;
    for (const before of [0, piece - 4, piece - 1, piece]) {
      const file = library(dir, 'a.so', ['x1.31.0', '1.3.9', '1.29.1', 'libcudart.so.13'], before);
      expect(writtenIn(file)).toEqual({ version: '1.29.1', cuda: ['libcudart.so.13'] });
    }
    expect(writtenIn(library(dir, 'b.so', ['none']))).toEqual({ cuda: [] });
  });

  it('names the libraries that it links to, not another version of one among its texts', () => {
    const names = ['libcublas.so.13', 'libcudart.so.13', 'libc.so.6', 'libcudart.so.12'];
    expect(writtenIn(library(dir, 'a.so', names)).cuda).toEqual(names.slice(0, 2));
  });
});

describe('the provider', () => {
  it('is taken with the library of its own folder', () => {
    const folder = provider(join(dir, 'own'), '1.29.0', ['libcudart.so.13']);
    const own = library(folder, 'libonnxruntime.so.1.29.0', ['1.29.0']);
    expect(findProvider({ given: { folder, by: '--ort-library' }, sitePackages: [] })).toEqual({
      ...{ folder, library: own, version: '1.29.0', cuda: ['libcudart.so.13'] },
    });
  });

  it('is found in Python’s packages, for the library that is here', () => {
    const folder = provider(join(dir, 'site', 'onnxruntime', 'capi'), '1.30.0');
    const found = findProvider({ sitePackages: [join(dir, 'empty'), join(dir, 'site')] });
    expect(found).toMatchObject({ folder, library: libraryIn(bundledFolder()), version: '1.30.0' });
  });

  it('of another version is refused, with both named', () => {
    const folder = provider(join(dir, 'old'), '1.22.0');
    expect(() =>
      findProvider({ given: { folder, by: '--ort-library' }, sitePackages: [] }),
    ).toThrow(
      new DeviceError('the CUDA provider is of ONNX Runtime 1.22.0, the library of 1.30.0', {
        where: folder,
        fix: 'npx swa-align setup cuda fetches both; --ort-library names a folder that has both',
      }),
    );
  });

  it('of `setup cuda` goes before any other, but one that was named', () => {
    const [site, setUp, named] = ['site', 'setUp', 'named'].map((name) => join(dir, name));
    for (const folder of [join(site, 'onnxruntime', 'capi'), setUp, named]) {
      library(provider(folder, '1.29.0'), 'libonnxruntime.so.1', ['1.29.0']);
    }
    const search = { setUp, sitePackages: [site] };
    expect(findProvider(search)).toMatchObject({ folder: setUp, version: '1.29.0' });
    const given = { folder: named, by: '--ort-library' };
    expect(findProvider({ ...search, given })).toMatchObject({ folder: named });
  });

  it('that is not there is told, where a folder was given by what it lacks', () => {
    library(dir, providerFiles[0], ['1.30.0']);
    expect(() =>
      findProvider({ given: { folder: dir, by: 'SWA_ALIGN_ORT' }, sitePackages: [] }),
    ).toThrow(UsageError);
    expect(() =>
      findProvider({ given: { folder: dir, by: 'SWA_ALIGN_ORT' }, sitePackages: [] }),
    ).toThrow(`SWA_ALIGN_ORT ${dir}: has no ${providerFiles[1]}; `);
    expect(() => findProvider({ sitePackages: [dir] })).toThrow('CUDA provider was not found');
  });
});

describe('what it needs', () => {
  /** A loader that knows of files and what each needs. */
  const loader = (needs: Readonly<Record<string, readonly string[]>>) => {
    const loaded: string[] = [];
    const names = () => loaded.map((file) => file.split('/').pop());
    return {
      loaded,
      load(file: string | null) {
        const name = file!.split('/').pop()!;
        if (needs[name] === undefined || file === name) {
          throw new Error(
            'Failed to load shared library: cannot open shared object file: No such file',
          );
        }
        const missing = needs[name].find((one) => !names().includes(one));
        if (missing !== undefined) {
          throw new Error(
            `Failed to load shared library: ${missing}: cannot open shared object file: No such file`,
          );
        }
        loaded.push(file!);
        return {
          func: () => Object.assign(() => 0, { async: () => {} }) as never,
          symbol: () => 0,
        };
      },
    };
  };

  it('is loaded before it, from the folders of pip’s packages and of toolkits', () => {
    const lib = join(dir, 'nvidia', 'cu13', 'lib');
    for (const name of ['libcublas.so.13', 'libcublasLt.so.13']) library(lib, name, []);
    expect(cudaFolders([dir])).toContain(lib);
    const koffi = loader({ 'libcublas.so.13': ['libcublasLt.so.13'], 'libcublasLt.so.13': [] });
    loadNeeding(koffi, 'libcublas.so.13', cudaFolders([dir]));
    expect(koffi.loaded).toEqual([join(lib, 'libcublasLt.so.13'), join(lib, 'libcublas.so.13')]);
  });

  it.each([
    ['libcuda.so.1', "install NVIDIA's driver"],
    ['libcudnn.so.9', 'pip install nvidia-cudnn-cu13'],
    ['libnvrtc.so.13', 'install the CUDA toolkit and cuDNN'],
  ])('and is nowhere is named: %s', (name, fix) => {
    expect(() => loadNeeding(loader({}), name, [dir])).toThrow(
      new DeviceError(`${name} was not found`, { fix }),
    );
  });

  it('is told whole, once each and with one command, the driver apart', () => {
    const needed = neededBy(['libcublasLt.so.13', 'libcublas.so.13', 'libcuda.so.1', 'liba.so.1']);
    const koffi = loader({ 'liba.so.1': ['libcublas.so.13'] });
    library(dir, 'liba.so.1', []);
    const names = ['libcublasLt.so.13', 'libcublas.so.13', 'libcudnn.so.9'];
    expect(missingOf(koffi, needed, [dir])).toEqual(names);
    expect(remedyFor(names)).toBe('pip install nvidia-cublas nvidia-cudnn-cu13');
    expect(remedyFor([...names, 'libnvrtc.so.13'])).toBe('install the CUDA toolkit and cuDNN');
  });

  it('but does not load is told in the loader’s words', () => {
    const load = () => {
      throw new Error('Failed to load shared library: invalid ELF header\nmore');
    };
    expect(() => loadNeeding({ load }, 'libcuda.so.1', [])).toThrow(
      'libcuda.so.1: Failed to load shared library: invalid ELF header',
    );
  });
});
