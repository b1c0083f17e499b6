import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import { GraphError, UsageError } from '../../errors.ts';
import type { Node } from '../../ir/node.ts';
import type { Program } from '../../program/program.ts';
import { type Tensor, tensor, toFloat32 } from '../../tensor/tensor.ts';
import type { Backend, DeviceState, DeviceTensor, Executable } from '../backend.ts';
import { checkInputs, stateValue } from '../feeds.ts';
import { deviceNamed, openDevice } from './devices.ts';
import { execute, type Results } from './execute.ts';
import { type GradientRules, gradientRules, planOf } from './plan.ts';
import type { Tf } from './value.ts';

interface HeldTensor extends DeviceTensor {
  readonly tensor: TfTensor;
}

export interface TfjsOptions {
  /** cpu (the default), webgpu or tensorflow. */
  readonly device?: string;
  /** `own` (the default), its own autodiff, or `ir`, our adjoints. */
  readonly grad?: string;
}

const hold = (value: TfTensor): HeldTensor => ({ shape: value.shape, tensor: value });

function held(name: string, value: DeviceTensor): TfTensor {
  if ('tensor' in value) return (value as HeldTensor).tensor;
  throw new GraphError(`${name} was not uploaded to TensorFlow.js`);
}

/** Throws GraphError for a whole number that int32, TensorFlow.js's only integer, cannot hold. */
function toInt32(name: string, data: BigInt64Array): Int32Array {
  const lost = data.find((v) => v !== BigInt.asIntN(32, v));
  if (lost !== undefined) throw new GraphError(`${name} holds ${lost}, too large for int32`);
  return Int32Array.from(data, Number);
}

/** A copy on the device. */
function toDevice(tf: Tf, name: string, t: Tensor): TfTensor {
  const shape = [...t.shape];
  if (t.dtype === 'int64') return tf.tensor(toInt32(name, t.data), shape, 'int32');
  const data = toFloat32(t);
  return tf.tensor(data === t.data ? data.slice() : data, shape, 'float32');
}

/** A copy on the host, which nobody else holds. */
async function toHost(value: TfTensor): Promise<Tensor> {
  const data = await value.data();
  return value.dtype === 'int32'
    ? tensor('int64', value.shape, BigInt64Array.from(data, BigInt))
    : tensor('float32', value.shape, Float32Array.from(data));
}

const disposeAll = (tensors: Iterable<TfTensor>): void => {
  for (const t of tensors) t.dispose();
};

function rulesNamed(name: string): GradientRules {
  const found = gradientRules.find((rules) => rules === name);
  if (found !== undefined) return found;
  throw new UsageError(`there are no derivative rules "${name}"`, {
    fix: `choose one of ${gradientRules.join(', ')}`,
  });
}

/**
 * TensorFlow.js, in float32: the graph is interpreted eagerly, op by op, and differentiated by the library
 * itself, so its gradients are evidence that owes nothing to our adjoints.
 *
 * Throws UsageError for an unknown device or unknown rules, DeviceError for one that this machine or installation lacks.
 */
export async function tfjsBackend(options: TfjsOptions = {}): Promise<Backend> {
  const device = deviceNamed(options.device ?? 'cpu');
  const rules = rulesNamed(options.grad ?? 'own');
  const { tf, description } = await openDevice(device);
  /** The library's device is one for the whole thread, and another backend may have chosen it since. */
  const choose = async (): Promise<Tf> => {
    await tf.setBackend(device);
    return tf;
  };
  return {
    name: 'tfjs',
    device,
    precision: 'float32',
    description: rules === 'ir' ? `${description}, gradients by our adjoints` : description,
    compile: async (program, fetches) => compile(choose, program, fetches, rules),
    async upload(values) {
      const lib = await choose();
      return new Map([...values].map(([name, t]) => [name, hold(toDevice(lib, name, t))]));
    },
    async download(state, names = [...state.keys()]) {
      await choose();
      const values = new Map<string, Tensor>();
      for (const name of names) {
        const value = state.get(name);
        if (value === undefined) throw new GraphError(`there is no state called ${name}`);
        values.set(name, await toHost(held(name, value)));
      }
      return values;
    },
    async free(state) {
      await choose();
      disposeAll([...state].map(([name, value]) => held(name, value)));
      state.clear();
    },
  };
}

function compile(
  choose: () => Promise<Tf>,
  program: Program,
  fetches: readonly string[],
  rules: GradientRules,
): Executable {
  const plan = planOf(program, fetches, rules);
  return {
    async run(state, inputs) {
      checkInputs(program, inputs);
      const tf = await choose();
      const fed = new Map([...inputs].map(([name, t]) => [name, toDevice(tf, name, t)]));
      const given = (node: Node<'input'>): TfTensor => {
        const { name } = node.params;
        return fed.get(name) ?? held(name, stateValue(program, state, node));
      };
      try {
        const results = execute(tf, plan, given);
        const values = await read(results);
        advance(state, results);
        return values;
      } finally {
        disposeAll(fed.values());
      }
    },
    async dispose() {},
  };
}

/** The fetched values; when the device fails on the way, nothing of the results is left behind. */
async function read({ fetched, nextState }: Results): Promise<Map<string, Tensor>> {
  try {
    const values = new Map<string, Tensor>();
    for (const [name, t] of fetched) values.set(name, await toHost(t));
    return values;
  } catch (error) {
    disposeAll(nextState.values());
    throw error;
  } finally {
    disposeAll(fetched.values());
  }
}

function advance(state: DeviceState, { nextState }: Results): void {
  for (const [name, next] of nextState) {
    const before = state.get(name);
    if (before !== undefined) held(name, before).dispose();
    state.set(name, hold(next));
  }
}
