import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { DeviceError } from '../../../../errors.ts';
import { type Koffi, loadKoffi } from '../../../../native/koffi.ts';
import type { Backend } from '../../../backend.ts';
import { targets } from '../../lowering/target.ts';
import type { Precision } from '../../precision.ts';
import type { OrtApi } from '../api.ts';
import { cApiBackend, openEnvironment } from '../cApiBackend.ts';
import { openLibrary } from '../library.ts';
import type { Provider } from '../providers.ts';
import { cudaMemory } from './cudaMemory.ts';
import { cudaProvider } from './cudaProvider.ts';
import { type CudaRuntime, cudaRuntime } from './cudaRuntime.ts';
import { type FoundProvider, findProvider, providerFiles } from './findProvider.ts';
import { driver, loadNeeding, neededBy } from './loadNeeded.ts';
import { searchHere } from './search.ts';

export interface CudaOptions {
  /** A folder that holds the provider. */
  readonly ortLibrary?: string;
  readonly precision?: Precision;
  readonly threads?: number;
}

/**
 * ONNX Runtime's CUDA provider, in float32: `--precision tf32` lets products be coarser. State stays on the card.
 * Throws UsageError for a folder without a provider, DeviceError that says what is missing: provider, version, CUDA,
 * cuDNN, driver or card.
 */
export async function cudaBackend({
  ortLibrary,
  precision = 'fp32',
  threads,
}: CudaOptions = {}): Promise<Backend> {
  if (process.platform !== 'linux') {
    throw new DeviceError(`CUDA is called on Linux alone, not on ${process.platform}`);
  }
  const search = searchHere(ortLibrary);
  const found = findProvider(search);
  const koffi = await loadKoffi("ONNX Runtime's C API is called");
  const cuda = loadCuda(koffi, found.cuda, search.cudaFolders);
  const provider = cudaProvider(precision, cuda.stream);
  const api = await loadTogether(found, provider);
  return cApiBackend({
    api,
    provider,
    memory: cudaMemory(api, cuda),
    target: targets.cuda,
    // Checkpoints know a device by this: the two round otherwise.
    device: precision === 'fp32' ? 'cuda' : `cuda ${precision}`,
    description: `ONNX Runtime ${found.version}, CUDA on ${cuda.deviceName}${precision === 'tf32' ? ', products in TF32' : ''}`,
    threads,
  });
}

/** Loads what the provider asks for, which the loader would not find by itself. Throws DeviceError without a card. */
function loadCuda(koffi: Koffi, names: readonly string[], folders: readonly string[]): CudaRuntime {
  // Without a driver nothing else matters; cuDNN is opened by name later on.
  const loaded = new Map(
    [driver, ...neededBy(names)].map((name) => [name, loadNeeding(koffi, name, folders)]),
  );
  const runtime = [...loaded].find(([name]) => name.startsWith('libcudart.'));
  if (runtime === undefined) throw new DeviceError('the CUDA provider asks for no CUDA runtime');
  return cudaRuntime(koffi, runtime[1]);
}

/**
 * Loads library and provider. The library looks for its providers in its own folder, so both are given one for the
 * while that it takes.
 */
async function loadTogether(
  { folder, library }: FoundProvider,
  provider: Provider,
): Promise<OrtApi> {
  const together = mkdtempSync(join(tmpdir(), 'swa-align-ort-'));
  try {
    const files = [library, ...providerFiles.map((file) => join(folder, file))];
    for (const file of files) symlinkSync(resolve(file), join(together, basename(file)));
    const api = await openLibrary(join(together, basename(library)));
    // Without its logger a failure hides behind another one.
    openEnvironment(api);
    const [options] = api.make('CreateSessionOptions');
    try {
      provider.choose(api, options);
    } finally {
      api.call('ReleaseSessionOptions', options);
    }
    return api;
  } finally {
    rmSync(together, { recursive: true, force: true });
  }
}
