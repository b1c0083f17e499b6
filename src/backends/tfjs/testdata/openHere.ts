import { existsSync } from 'node:fs';
import { DeviceError } from '../../../errors.ts';
import type { Backend } from '../../backend.ts';
import type { TfjsDevice } from '../devices.ts';
import { tfjsBackend } from '../tfjsBackend.ts';

/** A GPU in software that Debian's chromium package brings along. */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** TensorFlow.js on a device, in this thread; or why that is not to be had here. */
export async function openHere(
  device: TfjsDevice,
): Promise<{ readonly backend?: Backend; readonly absent?: string }> {
  if (existsSync(swiftShader)) process.env.VK_ICD_FILENAMES ??= swiftShader;
  try {
    return { backend: await tfjsBackend({ device }) };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return { absent: error.message };
  }
}
