import * as ort from 'onnxruntime-node';
import { DeviceError } from '../../../errors.ts';

/** Where one of a graph's outputs is left. */
export type OutputLocation = 'cpu' | 'gpu-buffer';

/** ONNX Runtime's message without its own source file, function and assertion. */
const plain = (message: string): string =>
  message
    .replace(/^.*\bwas false\. /s, '')
    .replace(/^\S*onnxruntime_src\S+:\d+ .*?\) /s, '')
    .replace(/\s+/g, ' ')
    .trim();

/** What Dawn and ONNX Runtime say when a buffer could not be had: at its next use, for the most part. */
const noRoom =
  /out of memory|OUT_OF_\w+_MEMORY|\[Invalid Buffer|max(imum)? buffer size|too many storage buffers/i;

/** As much of a library's message as helps to search for it. */
const beginning = (text: string): string => (text.length <= 160 ? text : `${text.slice(0, 160)}…`);

/** What went wrong on the device, as one line for a person. */
export function deviceError(what: string, cause: unknown, fix?: string): DeviceError {
  const text = plain(cause instanceof Error ? cause.message : String(cause));
  const why = noRoom.test(text) ? `it has no room for a buffer (${beginning(text)})` : text;
  return new DeviceError(`${what}: ${why}`, fix === undefined ? {} : { fix });
}

/** What to do about a device that failed at its work. */
export const lessOrElsewhere =
  'try a smaller batch or --device cpu; a training run goes on with --resume';

/**
 * A node that the provider cannot run would run on the CPU, with a copy to and fro in every step: such a
 * graph is refused instead.
 */
const onlyOnDevice = { session: { disable_cpu_ep_fallback: '1' } };

/** Programs are NCHW: the provider's own choice, NHWC, gives the same bits with 44 transposes more a step. */
const provider = { name: 'webgpu', preferredLayout: 'NCHW' } as const;

/** Opens a graph on the device, each output left where `outputs` says. Throws ONNX Runtime's own errors. */
export const openSession = (
  model: Uint8Array,
  outputs: Readonly<Record<string, OutputLocation>>,
): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(model, {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    preferredOutputLocation: outputs,
    extra: onlyOnDevice,
  });
