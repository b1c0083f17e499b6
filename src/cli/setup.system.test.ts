import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { providerFiles, writtenIn } from '../backends/ort/cApi/cuda/findProvider.ts';
import { bundledFolder, libraryIn } from '../backends/ort/cApi/library.ts';
import { hasKoffi } from '../native/koffi.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';

const { dir, printed, errors } = commandTest('setup');

const linux = process.platform === 'linux' && process.arch === 'x64' && hasKoffi();

test.skipIf(!linux)(
  `setup cuda fetches nothing where a provider is, and says what is missing of CUDA${linux ? '' : ' (skipped: needs Linux x64 and koffi)'}`,
  async () => {
    const own = libraryIn(bundledFolder())!;
    const { version } = writtenIn(own);
    const folder = join(dir, 'here');
    mkdirSync(folder);
    symlinkSync(own, join(folder, 'libonnxruntime.so.1'));
    for (const file of providerFiles) {
      writeFileSync(join(folder, file), `\0libcunowhere.so.7\0${version}\0`);
    }
    vi.stubEnv('SWA_ALIGN_ORT', folder);
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9/');
    expect(await run(['setup', 'cuda'])).toBe(2);
    expect(printed.join('')).toBe(`ONNX Runtime ${version} with CUDA lies in ${folder}\n`);
    expect(errors.join()).toMatch(
      /^swa-align: of CUDA and cuDNN it needs what is not here: libcunowhere.so.7(, libcudnn.so.9)?; install the CUDA toolkit and cuDNN$/,
    );
  },
);

test.skipIf(process.platform === 'linux' && process.arch === 'x64')(
  'setup cuda is refused where there is no provider (skipped on Linux x64)',
  async () => {
    expect(await run(['setup', 'cuda'])).toBe(2);
    expect(errors.join()).toMatch(/^swa-align: there is no CUDA provider for /);
  },
);
