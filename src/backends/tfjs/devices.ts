import { DeviceError, UsageError } from '../../errors.ts';
import { optionalPackage, tfjsVersion } from './optionalPackage.ts';
import { openTensorFlow } from './tensorflow/load.ts';
import type { Tf } from './value.ts';
import { provideWebGpu, webGpuInstall } from './webGpu.ts';

export interface OpenedDevice {
  readonly tf: Tf;
  /** For logs and reports: library, version, device. */
  readonly description: string;
}

/** The library itself, told not to advertise faster versions of itself. */
async function library(): Promise<Tf> {
  const tf = await optionalPackage<Tf>(
    '@tensorflow/tfjs',
    `npm install --save-dev @tensorflow/tfjs@${tfjsVersion}`,
  );
  tf.enableProdMode();
  return tf;
}

const described = (tf: Tf, device: string): string => `TensorFlow.js ${tf.version.tfjs}${device}`;

/** Every device by the name that TensorFlow.js knows it by. */
const devices = {
  cpu: async () => {
    const tf = await library();
    return { tf, description: described(tf, ', plain JavaScript, CPU') };
  },

  webgpu: async () => {
    const adapter = await provideWebGpu();
    const tf = await library();
    await optionalPackage('@tensorflow/tfjs-backend-webgpu', webGpuInstall);
    // Small tensors too are to be computed where the user asked for.
    tf.env().set('WEBGPU_CPU_FORWARD', false);
    return { tf, description: described(tf, `, WebGPU on ${adapter}`) };
  },

  tensorflow: async () => {
    const tf = await library();
    const { version, gpu } = await openTensorFlow(tf);
    return { tf, description: described(tf, ` on TensorFlow ${version}, ${gpu ? 'GPU' : 'CPU'}`) };
  },
} as const satisfies Record<string, () => Promise<OpenedDevice>>;

export type TfjsDevice = keyof typeof devices;

export const tfjsDevices = Object.keys(devices) as readonly TfjsDevice[];

/** Throws UsageError for a device that TensorFlow.js has not. */
export function deviceNamed(name: string): TfjsDevice {
  if (Object.hasOwn(devices, name)) return name as TfjsDevice;
  throw new UsageError(`the tfjs backend has no device "${name}"`, {
    fix: `choose one of ${tfjsDevices.join(', ')}`,
  });
}

/** Loads what a device needs and starts it. Throws DeviceError where something is missing. */
export async function openDevice(name: TfjsDevice): Promise<OpenedDevice> {
  const opened = await devices[name]();
  if (await opened.tf.setBackend(name)) return opened;
  throw new DeviceError(`TensorFlow.js could not start its device ${name}`);
}
