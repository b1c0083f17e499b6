import { version } from 'node:process';
import { GraphError } from '../../errors.ts';
import type { Node } from '../../ir/node.ts';
import { type Program, programRoots } from '../../program/program.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import type { Backend, DeviceState, Executable } from '../backend.ts';
import { checkInputs, stateValue } from '../feeds.ts';
import { execute, planOf } from './execute.ts';
import { checkType, fromTensor, ownValue, toTensor, type Value } from './value.ts';

/** The value of an input: fed, or else held as state. */
function givenValue(
  program: Program,
  state: DeviceState,
  inputs: TensorMap,
  node: Node<'input'>,
): Value {
  const { name } = node.params;
  const fed = inputs.get(name);
  const value =
    fed === undefined ? ownValue(name, stateValue(program, state, node)) : fromTensor(name, fed);
  checkType(`${program.name}: ${name}`, value, node);
  return value;
}

function compile(program: Program, fetches: readonly string[]): Executable {
  const { fetched, nextState } = programRoots(program, fetches);
  const plan = planOf(new Set([...fetched.values(), ...nextState.values()]));
  return {
    async run(state, inputs) {
      checkInputs(program, inputs);
      const values = execute(plan, (node) => givenValue(program, state, inputs, node));
      // Only now, so that a run that fails leaves the state as it was.
      for (const [name, node] of nextState) state.set(name, values.get(node)!);
      return new Map([...fetched].map(([name, node]) => [name, toTensor(values.get(node)!)]));
    },
    async dispose() {},
  };
}

/**
 * The judge of all other backends: every op straight from its definition, in float64, in plain
 * TypeScript. Made to be read, not to be fast.
 *
 * Floats are fetched and downloaded as float64, ints as int64. Runs throw GraphError for feeds that do
 * not fit the program, and for a class label that is no class.
 */
export const oracleBackend = (): Backend => ({
  name: 'oracle',
  device: 'cpu',
  precision: 'float64',
  description: `float64 oracle in plain TypeScript, Node.js ${version}, CPU`,
  compile: async (program, fetches) => compile(program, fetches),
  upload: async (values) => new Map([...values].map(([name, t]) => [name, fromTensor(name, t)])),
  download: async (state, names = [...state.keys()]) =>
    new Map(
      names.map((name): [string, Tensor] => {
        const held = state.get(name);
        if (held === undefined) throw new GraphError(`there is no state called ${name}`);
        return [name, toTensor(ownValue(name, held))];
      }),
    ),
  free: async (state) => state.clear(),
});
