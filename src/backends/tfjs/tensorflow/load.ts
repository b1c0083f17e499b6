import { createRequire } from 'node:module';
import { DeviceError } from '../../../errors.ts';
import type { Tf } from '../value.ts';
import { findNodePackage, installCommand, isBuilt, nodePackages } from './nodePackage.ts';

const require = createRequire(import.meta.url);

/** What TensorFlow runs on. */
export interface TensorFlow {
  readonly version: string;
  readonly gpu: boolean;
}

/** The parts of the binding's backend that are read here. */
interface NodeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/**
 * Node.js 23 took away a function that tfjs-node 4.22 still calls (removed as DEP0051). Called before the
 * package is loaded, this gives it back.
 */
function restoreIsNullOrUndefined(): void {
  const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

/**
 * Registers TensorFlow with TensorFlow.js by way of the tfjs-node-gpu or tfjs-node package, whichever is
 * installed and built. Throws DeviceError where neither is, or where its native half does not load.
 */
export async function openTensorFlow(tf: Tf): Promise<TensorFlow> {
  const found = [nodePackages.gpu, nodePackages.cpu].flatMap((name) => findNodePackage(name) ?? []);
  if (found.length === 0) {
    throw new DeviceError(`this device needs the package ${nodePackages.cpu}, not installed here`, {
      fix: `${installCommand(nodePackages.cpu)} && npx swa-align setup tensorflow`,
    });
  }
  const usable = found.find(isBuilt);
  if (usable === undefined) {
    throw new DeviceError(`${found[0].name} is installed without its native half`, {
      fix: `npx swa-align setup tensorflow${found[0].name === nodePackages.gpu ? ' --gpu' : ''}`,
    });
  }
  // TensorFlow greets with a page about instruction sets; errors still come through.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // With oneDNN, TensorFlow 2.21 rounds three times as coarsely as PyTorch, and gets a convolution wrong whose
  // stride is longer than its image (see `convolution.ts`). Who wants its speed sets this to 1.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
  restoreIsNullOrUndefined();
  try {
    require(usable.name);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new DeviceError(`${usable.name} does not load: ${why}`, {
      fix: 'build it anew: npx swa-align setup tensorflow',
    });
  }
  await tf.setBackend('tensorflow');
  const { binding, isUsingGpuDevice } = tf.backend() as unknown as NodeBackend;
  return { version: binding.TF_Version, gpu: isUsingGpuDevice };
}
