import * as ort from 'onnxruntime-node';
import { DeviceError } from '../../errors.ts';

/** Where one of a graph's outputs is left. */
export type OutputLocation = 'cpu' | 'gpu-buffer';

/** Opens a graph of the given name on the device. Throws DeviceError when it is refused. */
export type OpenSession = (
  name: string,
  model: Uint8Array,
  outputs: Readonly<Record<string, OutputLocation>>,
) => Promise<ort.InferenceSession>;

/** ONNX Runtime's message without its own source file, function and assertion. */
const plain = (message: string): string =>
  message
    .replace(/^.*\bwas false\. /s, '')
    .replace(/^\S*onnxruntime_src\S+:\d+ .*?\) /s, '')
    .replace(/\s+/g, ' ')
    .trim();

/** What went wrong on the device, as one line for a person. */
export const deviceError = (what: string, cause: unknown): DeviceError =>
  new DeviceError(`${what}: ${plain(cause instanceof Error ? cause.message : String(cause))}`, {
    fix: 'try --device cpu or a smaller batch; a training run goes on with --resume',
  });

/**
 * A node that the provider cannot run would run on the CPU, with a copy to and fro in every step: such a
 * graph is refused instead.
 */
const onlyOnDevice = { session: { disable_cpu_ep_fallback: '1' } };

export const openSession: OpenSession = async (name, model, outputs) => {
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: ['webgpu'],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      preferredOutputLocation: outputs,
      extra: onlyOnDevice,
    });
  } catch (error) {
    throw deviceError(`ONNX Runtime's WebGPU provider refused the ${name}`, error);
  }
};
