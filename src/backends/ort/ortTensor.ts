import { createRequire } from 'node:module';
import type * as ort from 'onnxruntime-node';
import type { Program } from '../../program/program.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import type { DeviceState, DeviceTensor } from '../backend.ts';
import { checkInputs, stateValue } from '../feeds.ts';
import type { LoweredProgram } from './lowering/lowerProgram.ts';

interface OrtTensor extends DeviceTensor {
  readonly value: ort.Tensor;
}

/** ONNX Runtime's tensor as a backend hands it out. */
export const onDevice = (value: ort.Tensor, shape: Shape = value.dims): DeviceTensor =>
  ({ shape, value }) as OrtTensor;

export const ortValue = (t: DeviceTensor): ort.Tensor => (t as OrtTensor).value;

/** Of the library. */
export const ortVersion: string = (
  createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }
).version;

/** All that a lowered program reads. Throws GraphError for what does not fit the program. */
export function ortFeeds(
  program: Program,
  lowered: LoweredProgram,
  state: DeviceState,
  inputs: TensorMap,
  toOrt: (t: Tensor) => ort.Tensor,
): Record<string, ort.Tensor> {
  checkInputs(program, inputs);
  const feeds: Record<string, ort.Tensor> = {};
  for (const name of lowered.inputs) feeds[name] = toOrt(inputs.get(name)!);
  for (const name of lowered.stateIn) {
    feeds[name] = ortValue(stateValue(program, state, program.state.get(name)!.current));
  }
  return feeds;
}
