import { DeviceError } from '../../errors.ts';
import { optionalPackage, tfjsVersion } from './optionalPackage.ts';

interface Adapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
  };
}

interface Gpu {
  requestAdapter(options?: object): Promise<Adapter | null>;
}

/** Dawn, Chromium's WebGPU, as a module for Node.js. */
interface Dawn {
  readonly create: (flags: readonly string[]) => Gpu;
  readonly globals: object;
}

/** How to get what WebGPU needs. */
export const webGpuInstall = `npm install --save-dev webgpu @tensorflow/tfjs-backend-webgpu@${tfjsVersion}`;

let provided: Promise<string> | undefined;

/**
 * Puts WebGPU where a library written for browsers looks for it, once a thread: Dawn takes the process down
 * when its objects are replaced under a device. Gives back what it runs on. Throws DeviceError where the
 * package is not installed or no adapter is found.
 */
export function provideWebGpu(): Promise<string> {
  provided ??= provide();
  return provided;
}

async function provide(): Promise<string> {
  const { create, globals } = await optionalPackage<Dawn>('webgpu', webGpuInstall);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) {
    throw new DeviceError('WebGPU finds no adapter on this machine', {
      fix: "install the GPU's Vulkan driver, or choose another --device",
    });
  }
  Object.assign(globalThis, globals);
  // Node.js 20 has no navigator; later ones have one that cannot be assigned to.
  const navigator: object = Reflect.get(globalThis, 'navigator') ?? {};
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  const { vendor, architecture, device } = adapter.info;
  return [vendor, architecture, device].filter((word) => word !== '').join(' ');
}
