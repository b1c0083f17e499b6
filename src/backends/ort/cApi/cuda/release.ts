import type { PinnedPackage } from '../../../settingUp/npmPack.ts';
import { providerFiles, providerPackage } from './findProvider.ts';

/** Files of a package, by their place in its archive. */
export interface PackagedFiles {
  readonly of: PinnedPackage;
  readonly folder: string;
  readonly files: readonly string[];
}

/** Library and provider that belong together, and who has them. */
export interface CudaRelease {
  /** Of ONNX Runtime. */
  readonly version: string;
  readonly provider: PackagedFiles;
  readonly library: PackagedFiles;
}

/** The newest provider for CUDA 13 that a package manager has: what NuGet has, packed for npm. It comes without a library. */
export const cudaRelease: CudaRelease = {
  version: '1.29.0',
  provider: {
    of: {
      name: providerPackage,
      version: '0.4.9',
      integrity:
        'sha512-FopIhNE/Ng+v2X65wVc9clPCBCvhvA53Hxo2U0Kf5fGdVsC7iCA+mZ0KLWggcQAj7TIZ6pNidR4AC10g74Xo6w==',
    },
    folder: 'package/Plugins/Linux/x64',
    files: providerFiles,
  },
  library: {
    of: {
      name: 'onnxruntime-node',
      version: '1.29.0',
      integrity:
        'sha512-WjiVVB72riILz8HbYvxvmjKyE/WmkYoSfKY++axo5jAR609HQg8MwiG/HhShpTcJfmmAdzxxmB+MMST3A+SiPA==',
    },
    folder: 'package/bin/napi-v6/linux/x64',
    files: ['libonnxruntime.so.1'],
  },
};
