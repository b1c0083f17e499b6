import { DeviceError, UsageError } from '../../../errors.ts';
import type { Toolchain } from './buildBinding.ts';
import { type TensorFlowFiles, tensorFlowIn, tensorFlowOfPython } from './findTensorFlow.ts';
import { findNodePackage, installCommand, type NodePackage, nodePackages } from './nodePackage.ts';
import { compiler, nodeHeaders } from './toolchain.ts';

export interface SetUpOptions {
  /** Bind for a GPU: the tfjs-node-gpu package, and a TensorFlow built with CUDA. */
  readonly gpu?: boolean;
  /** Directory of TensorFlow. */
  readonly libtensorflow?: string;
  /** A Python that has TensorFlow. */
  readonly python?: string;
}

/** All that the binding is built from. */
export interface SetUp {
  readonly target: NodePackage;
  readonly tensorFlow: TensorFlowFiles;
  readonly toolchain: Toolchain;
}

/**
 * Finds what it takes to give TensorFlow.js a TensorFlow of today: the binding that tfjs-node publishes,
 * which by itself downloads TensorFlow 2.9, is built against one that is on this machine (`buildBinding`).
 * Throws UsageError, InputError or DeviceError.
 */
export function prepareSetUp({ gpu = false, libtensorflow, python }: SetUpOptions): SetUp {
  if (libtensorflow !== undefined && python !== undefined) {
    throw new UsageError('--libtensorflow and --python name two places for one TensorFlow', {
      fix: 'give one of them',
    });
  }
  if (process.platform === 'win32') {
    throw new DeviceError('the binding cannot be built on Windows by this command', {
      fix: 'use the Windows Subsystem for Linux',
    });
  }
  const name = gpu ? nodePackages.gpu : nodePackages.cpu;
  const target = findNodePackage(name);
  if (target === undefined) {
    throw new DeviceError(`the package ${name} is not installed`, { fix: installCommand(name) });
  }
  const tensorFlow =
    libtensorflow === undefined ? tensorFlowOfPython(python) : tensorFlowIn(libtensorflow);
  if (gpu && tensorFlow.cuda === false) {
    throw new DeviceError(`the TensorFlow in ${tensorFlow.directory} was built without CUDA`, {
      fix: 'pip install tensorflow[and-cuda], or leave --gpu out',
    });
  }
  return { target, tensorFlow, toolchain: { compiler: compiler(), headers: nodeHeaders() } };
}
