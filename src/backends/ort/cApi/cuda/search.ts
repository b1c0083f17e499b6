import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cacheDirectory } from '../../../../io/cacheDirectory.ts';
import { cudaFolders, type Search } from './findProvider.ts';
import { cudaRelease } from './release.ts';

/** Where Python finds packages, of the `python3` that is first on the path; none where there is no Python. */
function sitePackages(): readonly string[] {
  const ask = ['-c', 'import sys; print("\\n".join(sys.path))'];
  const { stdout } = spawnSync('python3', ask, { encoding: 'utf8', timeout: 10_000 });
  return (stdout ?? '').split('\n').filter((folder) => folder !== '');
}

function givenFolder(flag: string | undefined, { SWA_ALIGN_ORT: set } = process.env) {
  if (flag !== undefined) return { folder: flag, by: '--ort-library' };
  return set ? { folder: set, by: 'SWA_ALIGN_ORT' } : undefined;
}

/** Where `setup cuda` puts library and provider. */
export const setUpFolder = (): string =>
  join(cacheDirectory(), `onnxruntime-cuda-${cudaRelease.version}`);

/** Where this machine is searched: for the provider, and for CUDA's libraries beside those that the loader knows. */
export interface SearchHere extends Search {
  readonly setUp: string;
  readonly cudaFolders: readonly string[];
}

export function searchHere(ortLibrary?: string): SearchHere {
  const python = sitePackages();
  return {
    given: givenFolder(ortLibrary),
    setUp: setUpFolder(),
    sitePackages: python,
    cudaFolders: cudaFolders(python),
  };
}
