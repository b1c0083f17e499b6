import { useSwiftshader } from '../../../../test/machine.ts';
import { DeviceError } from '../../../errors.ts';
import type { Backend } from '../../backend.ts';
import type { TfjsDevice } from '../devices.ts';
import { tfjsBackend } from '../tfjsBackend.ts';

/** TensorFlow.js on a device, in this thread; or why that is not to be had here. */
export async function openHere(
  device: TfjsDevice,
): Promise<{ readonly backend?: Backend; readonly absent?: string }> {
  useSwiftshader();
  try {
    return { backend: await tfjsBackend({ device }) };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return { absent: error.message };
  }
}
