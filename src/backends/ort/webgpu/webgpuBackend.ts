import * as ort from 'onnxruntime-node';
import { GraphError } from '../../../errors.ts';
import type { Program } from '../../../program/program.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../../../tensor/tensor.ts';
import type { Backend, DeviceState, Executable } from '../../backend.ts';
import { lowerProgram } from '../lowering/lowerProgram.ts';
import { targets } from '../lowering/target.ts';
import { onDevice, ortFeeds, ortValue, ortVersion } from '../ortTensor.ts';
import { deviceError, lessOrElsewhere, openSession } from './webgpuSession.ts';
import { type Transfers, transfers } from './webgpuTransfer.ts';

/** Programs hold `int` as int32 here, see `targets`. */
function toOrt(t: Tensor): ort.Tensor {
  return t.dtype === 'int64'
    ? new ort.Tensor('int32', Int32Array.from(t.data, Number), t.shape)
    : new ort.Tensor('float32', toFloat32(t), t.shape);
}

function fromOrt(value: ort.Tensor): Tensor {
  return value.type === 'int32'
    ? tensor('int64', value.dims, BigInt64Array.from(value.data as Int32Array, BigInt))
    : tensor('float32', value.dims, value.data as Float32Array);
}

/**
 * ONNX Runtime's WebGPU provider, in float32. State stays in the device's memory from run to run.
 *
 * Throws DeviceError when there is no adapter, and from any call when the device is lost or full. Open it in a
 * process of its own: some failures of the provider end the process that it runs in.
 */
export async function webgpuBackend(): Promise<Backend> {
  const moving = transfers();
  // The first transfer opens the device, or says why there is none.
  const [first] = await moving
    .move('toDevice', [new ort.Tensor('float32', [0], [1])])
    .catch((cause) => {
      throw deviceError('WebGPU does not run here', cause);
    });
  first.dispose();
  return {
    name: 'ort',
    device: 'webgpu',
    precision: 'float32',
    description: `ONNX Runtime ${ortVersion}, WebGPU`,
    compile: (program, fetches) => compile(program, fetches, moving),
    upload: (values) => upload(values, moving),
    download: (state, names = [...state.keys()]) => download(state, names, moving),
    async free(state) {
      for (const value of state.values()) ortValue(value).dispose();
      state.clear();
    },
  };
}

async function upload(values: TensorMap, moving: Transfers): Promise<DeviceState> {
  const host = [...values.values()].map(toOrt);
  const there = await moving.move('toDevice', host).catch((cause) => {
    throw deviceError('could not copy the state to the GPU', cause, lessOrElsewhere);
  });
  return new Map([...values.keys()].map((name, i) => [name, onDevice(there[i])]));
}

async function download(
  state: DeviceState,
  names: readonly string[],
  moving: Transfers,
): Promise<Map<string, Tensor>> {
  const there = names.map((name) => {
    const value = state.get(name);
    if (value === undefined) throw new GraphError(`there is no state called ${name}`);
    return ortValue(value);
  });
  const here = await moving.move('toHost', there).catch((cause) => {
    throw deviceError('could not read results from the GPU', cause, lessOrElsewhere);
  });
  return new Map(names.map((name, i) => [name, fromOrt(here[i])]));
}

async function compile(
  program: Program,
  fetches: readonly string[],
  moving: Transfers,
): Promise<Executable> {
  const lowered = lowerProgram(program, fetches, targets.webgpu);
  const stays = (names: ReadonlyMap<string, string>) =>
    [...names.values()].map((output) => [output, 'gpu-buffer'] as const);
  const { fetched, nextState } = lowered;
  const outputs = Object.fromEntries([...stays(fetched), ...stays(nextState)]);
  const session = await openSession(lowered.model, outputs).catch((cause) => {
    throw deviceError(`WebGPU refused the ${program.name}`, cause, lessOrElsewhere);
  });

  /** Runs once; the fetches, still on the device. */
  const start = async (state: DeviceState, inputs: TensorMap): Promise<DeviceState> => {
    const feeds = ortFeeds(program, lowered, state, inputs, toOrt);
    const results = await session.run(feeds).catch((cause) => {
      throw deviceError(`the GPU failed in the ${program.name}`, cause, lessOrElsewhere);
    });
    for (const [name, output] of nextState) {
      const replaced = state.get(name);
      state.set(name, onDevice(results[output] as ort.Tensor));
      if (replaced !== undefined) ortValue(replaced).dispose();
    }
    return new Map(
      [...fetched].map(([name, output]) => [name, onDevice(results[output] as ort.Tensor)]),
    );
  };
  return {
    start,
    async run(state, inputs) {
      const results = await start(state, inputs);
      const values = await download(results, [...results.keys()], moving);
      for (const value of results.values()) ortValue(value).dispose();
      return values;
    },
    dispose: () => session.release(),
  };
}
