import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DeviceError } from '../../../errors.ts';
import { firstLine, keepLoaded, loadKoffi } from '../../../native/koffi.ts';
import { type OrtApi, ortApi } from './api.ts';

/** How the library's file is called; versions and providers have names of their own. */
const libraryFile = /^(libonnxruntime(\.\d+)*\.dylib|libonnxruntime\.so(\.\d+)*|onnxruntime\.dll)$/;

/** The library in a folder: the one whose name says most. Undefined where there is none. */
export function libraryIn(folder: string): string | undefined {
  try {
    const [file] = readdirSync(folder)
      .filter((name) => libraryFile.test(name))
      .sort((a, b) => b.length - a.length);
    return file && join(folder, file);
  } catch {
    return undefined;
  }
}

/** Where the package `onnxruntime-node` keeps its library for this machine. */
export function bundledFolder(): string {
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  return join(root, 'bin', 'napi-v6', process.platform, process.arch);
}

/** Loads the library `file`, for as long as the process runs. Throws DeviceError where it cannot be called. */
export async function openLibrary(
  file: string | undefined = libraryIn(bundledFolder()),
): Promise<OrtApi> {
  if (file === undefined) {
    throw new DeviceError(
      `onnxruntime-node has no library for ${process.platform} ${process.arch}`,
      {
        where: bundledFolder(),
        fix: 'choose another --device',
      },
    );
  }
  const koffi = await loadKoffi("ONNX Runtime's C API is called");
  try {
    const library = koffi.load(file);
    keepLoaded(koffi, file);
    return ortApi(koffi, library);
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    throw new DeviceError(`is not an ONNX Runtime that can be loaded: ${firstLine(error)}`, {
      where: file,
    });
  }
}
