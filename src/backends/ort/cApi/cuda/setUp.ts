import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { extract } from 'tar';
import { DeviceError, UserError } from '../../../../errors.ts';
import { fileError } from '../../../../io/fileError.ts';
import { usualTiming, withLock } from '../../../../io/output/lock.ts';
import { loadKoffi } from '../../../../native/koffi.ts';
import { npmPack } from '../../../settingUp/npmPack.ts';
import { openWorkshopBeside } from '../../../settingUp/workshop.ts';
import { openLibrary } from '../library.ts';
import { type FoundProvider, findProvider, type Search } from './findProvider.ts';
import { missingOf, neededBy, remedyFor } from './loadNeeded.ts';
import { type CudaRelease, cudaRelease, type PackagedFiles } from './release.ts';
import { type SearchHere, searchHere } from './search.ts';

/** What is here, and where what is missing goes. */
export interface CudaSetUp {
  readonly search: SearchHere;
  /** Where the release goes. */
  readonly folder: string;
  /** A provider and a library that fit together, if there are any. */
  readonly found: FoundProvider | undefined;
}

const command = 'setup cuda';

/** Looks for what `--device cuda` needs. Throws DeviceError where it cannot be set up, UsageError for a wrong SWA_ALIGN_ORT. */
export async function prepareCudaSetUp(search: SearchHere = searchHere()): Promise<CudaSetUp> {
  const { platform, arch } = process;
  if (platform !== 'linux' || arch !== 'x64') {
    throw new DeviceError(`there is no CUDA provider for ${platform} ${arch}`, {
      fix: 'CUDA is called on Linux with an x64 processor alone',
    });
  }
  await loadKoffi("ONNX Runtime's C API is called");
  return { search, folder: search.setUp, found: providerOf(search) };
}

/** The provider that is found; undefined where there is none, or what is there is not as it should be. */
function providerOf(search: Search): FoundProvider | undefined {
  try {
    return findProvider(search);
  } catch (error) {
    // A folder that somebody named is theirs to put right.
    const ours = error instanceof DeviceError || search.given?.by === command;
    if (ours && error instanceof UserError) return undefined;
    throw error;
  }
}

/** Puts a package's files into a folder. */
async function fetchFiles(
  { of, folder, files }: PackagedFiles,
  workshop: string,
  into: string,
  signal: AbortSignal,
): Promise<void> {
  const fetched = join(workshop, 'fetched');
  const unpacked = join(workshop, 'unpacked');
  mkdirSync(fetched);
  mkdirSync(unpacked);
  const file = await npmPack(of, fetched, signal);
  const wanted = files.map((name) => `${folder}/${name}`);
  await extract({
    file,
    cwd: unpacked,
    strict: true,
    preserveOwner: false,
    filter: (path) => wanted.includes(path),
  });
  signal.throwIfAborted();
  for (const [i, name] of files.entries()) {
    renameSync(join(unpacked, wanted[i]), join(into, name));
  }
  for (const done of [fetched, unpacked]) rmSync(done, { recursive: true });
}

export interface Installing {
  readonly signal: AbortSignal;
  /** Called where another process is at it. */
  readonly onWait?: () => void;
  readonly release?: CudaRelease;
}

/**
 * Fetches library and provider, tries them, and only then puts them in their place: after a failure what was there
 * before still is, and nothing else. Throws InputError, DeviceError and the signal's reason.
 */
export async function installProvider(
  folder: string,
  { signal, onWait, release = cudaRelease }: Installing,
): Promise<FoundProvider> {
  const search = { given: { folder, by: command }, sitePackages: [] };
  try {
    mkdirSync(dirname(folder), { recursive: true });
    const options = { timing: usualTiming, signal, ...(onWait && { onWait }) };
    await withLock(`${folder}.lock`, options, async (held) => {
      // Another process may have been quicker.
      if (providerOf(search) !== undefined) return;
      const workshop = openWorkshopBeside(folder);
      try {
        const fresh = join(workshop.folder, 'new');
        mkdirSync(fresh);
        for (const part of [release.library, release.provider]) {
          await fetchFiles(part, workshop.folder, fresh, held);
        }
        const { library } = findProvider({ ...search, given: { ...search.given, folder: fresh } });
        await openLibrary(library);
        if (existsSync(folder)) renameSync(folder, join(workshop.folder, 'old'));
        renameSync(fresh, folder);
      } finally {
        workshop.close();
      }
    });
  } catch (error) {
    throw fileError(folder, error, 'free some space, or name another directory by SWA_ALIGN_CACHE');
  }
  return findProvider(search);
}

/** What of CUDA and cuDNN is not here, and what to do about it. */
export interface MissingCuda {
  readonly names: readonly string[];
  readonly fix: string;
}

/** Loads what the provider needs, all but the driver. */
export async function missingCuda(
  { cuda }: FoundProvider,
  { cudaFolders }: SearchHere,
): Promise<MissingCuda | undefined> {
  const koffi = await loadKoffi("ONNX Runtime's C API is called");
  const names = missingOf(koffi, neededBy(cuda), cudaFolders);
  return names.length === 0 ? undefined : { names, fix: remedyFor(names) };
}
