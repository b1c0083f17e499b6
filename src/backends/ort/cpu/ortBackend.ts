import * as ort from 'onnxruntime-node';
import { DeviceError } from '../../../errors.ts';
import type { Program } from '../../../program/program.ts';
import { type Tensor, tensor, toFloat32 } from '../../../tensor/tensor.ts';
import type { Backend, DeviceState, Executable } from '../../backend.ts';
import { fetchRoom } from '../fetchRoom.ts';
import { type LoweredProgram, lowerProgram } from '../lowering/lowerProgram.ts';
import { onDevice, ortFeeds, ortValue, ortVersion } from '../ortTensor.ts';

export interface OrtOptions {
  /** Threads inside one operator; by default one a core. */
  readonly threads?: number;
}

function toOrt(t: Tensor): ort.Tensor {
  return t.dtype === 'int64'
    ? new ort.Tensor('int64', t.data, t.shape)
    : new ort.Tensor('float32', toFloat32(t), t.shape);
}

function fromOrt(value: ort.Tensor): Tensor {
  return value.type === 'int64'
    ? tensor('int64', value.dims, value.data as BigInt64Array)
    : tensor('float32', value.dims, value.data as Float32Array);
}

/** ONNX Runtime's CPU provider, in float32. */
export async function ortBackend({ threads }: OrtOptions = {}): Promise<Backend> {
  const sessionOptions: ort.InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  };
  return {
    name: 'ort',
    device: 'cpu',
    precision: 'float32',
    description: `ONNX Runtime ${ortVersion}, CPU`,
    compile: (program, fetches) => compile(program, fetches, sessionOptions),
    upload: async (values) =>
      new Map([...values].map(([name, t]) => [name, onDevice(toOrt(t), t.shape)])),
    download: async (state, names = [...state.keys()]) =>
      new Map(
        names.map((name) => {
          const held = fromOrt(ortValue(state.get(name)!));
          return [name, { ...held, data: held.data.slice() } as Tensor];
        }),
      ),
    free: async (state) => state.clear(),
  };
}

async function compile(
  program: Program,
  fetches: readonly string[],
  sessionOptions: ort.InferenceSession.SessionOptions,
): Promise<Executable> {
  const lowered = lowerProgram(program, fetches);
  const session = await ort.InferenceSession.create(lowered.model, sessionOptions).catch(
    (cause: Error) => {
      throw new DeviceError(`ONNX Runtime refused the ${program.name}: ${cause.message}`);
    },
  );
  return {
    async run(state, inputs) {
      const feeds = ortFeeds(program, lowered, state, inputs, toOrt);
      const room = fetchRoom(program, lowered.fetched.keys());
      const results = await session.run(feeds, outputsIn(room, lowered));
      advance(state, lowered.nextState, results);
      return room;
    },
    dispose: () => session.release(),
  };
}

/** Results are written where there is room for them; the library makes room for the state. */
const outputsIn = (
  room: ReadonlyMap<string, Tensor>,
  { fetched, nextState }: LoweredProgram,
): Record<string, ort.Tensor | null> =>
  Object.fromEntries([
    ...[...fetched].map(([name, output]) => [output, toOrt(room.get(name)!)] as const),
    ...[...nextState.values()].map((output) => [output, null] as const),
  ]);

function advance(
  state: DeviceState,
  nextState: ReadonlyMap<string, string>,
  results: ort.InferenceSession.OnnxValueMapType,
): void {
  for (const [name, output] of nextState) {
    state.set(name, onDevice(results[output] as ort.Tensor));
  }
}
