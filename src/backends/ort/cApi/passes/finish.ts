import { type TensorMap, toFloat32 } from '../../../../tensor/tensor.ts';
import type { DeviceState } from '../../../backend.ts';
import type { HostValue } from '../memory.ts';
import type { Spares } from '../spares.ts';
import type { NamedSource, NumberSource, SumSource } from './pass.ts';
import { tailRunner } from './runTail.ts';
import type { Parts } from './tailOf.ts';
import { isReached, type ReachedMemory, type ReachedValue } from './wasmMemory.ts';

/** Memory for one run of a program's end: what the head computes for it, and copies of what it does not reach of the inputs. */
export type Between = ReadonlyMap<string, HostValue>;

/** Carries out the end of a program, behind its head. */
export interface Finish {
  /** The state that it reads. */
  readonly states: readonly string[];
  /** Takes what a run needs; undefined where passes do not reach all of that, or of the state. */
  prepare(state: DeviceState, inputs: TensorMap): Between | undefined;
  /** Writes new values where the old ones lay, and the fetches that are its own into `room`. */
  run(state: DeviceState, inputs: TensorMap, between: Between, room: TensorMap): void;
}

export function finishOf(
  { tail, reads }: Parts,
  { memory }: { readonly memory: ReachedMemory },
  spares: Spares<HostValue>,
): Finish {
  const runner = tailRunner(tail, memory.wasm);
  const tensors = tail.passes.flatMap((pass) =>
    pass.tensors.map((source) => ({ source, shape: [pass.size] })),
  );
  const numbers = tail.passes.flatMap(({ scalars }) => scalars);
  const read = [...tensors.map(({ source }) => source), ...numbers, ...tail.numbers.scalars];
  const stateOf = (source: NumberSource | SumSource) =>
    source.from === 'state' ? [source.name] : [];
  const written = tail.passes.flatMap(({ writes }) => writes.map(({ state }) => state));
  const inPlace = new Set([...tensors.flatMap(({ source }) => stateOf(source)), ...written]);
  /** What is fed, by the name of its copy. */
  const fed = new Map(
    tensors.flatMap(({ source, shape }) =>
      source.from === 'input' ? [[copyOf(source), { name: source.name, shape }] as const] : [],
    ),
  );
  /** The names of what is walked over. */
  const walked = new Set(
    tensors.flatMap(({ source }) => (source.from === 'state' ? [] : [copyOf(source)])),
  );
  const reachedIn = (state: DeviceState, name: string): boolean => {
    const value = state.get(name) as HostValue | undefined;
    return value !== undefined && !value.gone && isReached(value);
  };
  /** Where an input lies, if passes reach it there. */
  const reachedInput = (inputs: TensorMap, name: string): number | undefined => {
    const { dtype, data } = inputs.get(name)!;
    return dtype === 'float32' ? memory.addressOf(data) : undefined;
  };
  return {
    states: [...new Set(read.flatMap(stateOf))],
    prepare(state, inputs) {
      if (![...inPlace].every((name) => reachedIn(state, name))) return undefined;
      const copied = [...fed].filter(([, { name }]) => reachedInput(inputs, name) === undefined);
      const between = new Map(
        [...reads, ...copied].map(([name, { shape }]) => [name, spares.take('float32', shape)]),
      );
      if ([...between].every(([name, value]) => !walked.has(name) || isReached(value))) {
        return between;
      }
      // Kept for others they would be taken again and again.
      for (const value of between.values()) memory.release(value);
      return undefined;
    },
    run(state, inputs, between, room) {
      for (const [copy, { name }] of fed) {
        const into = between.get(copy)?.tensor.data as Float32Array | undefined;
        into?.set(toFloat32(inputs.get(name)!));
      }
      const lying = (source: NamedSource): HostValue =>
        source.from === 'state'
          ? (state.get(source.name) as HostValue)
          : between.get(copyOf(source))!;
      const fetched = runner.run({
        number(source) {
          if (source.from === 'constant') return source.value;
          const t = source.from === 'input' ? inputs.get(source.name)! : lying(source).tensor;
          return toFloat32(t)[0];
        },
        address: (source) =>
          (source.from === 'input' ? reachedInput(inputs, source.name) : undefined) ??
          (lying(source) as ReachedValue).address,
      });
      for (const [name, value] of fetched) (room.get(name)!.data as Float32Array)[0] = value;
      for (const name of new Set(written)) {
        const value = state.get(name) as HostValue;
        state.set(name, { ...value });
        value.gone = true;
      }
    },
  };
}

/** The name of a value between head and tail. */
const copyOf = ({ from, name }: NamedSource): string => (from === 'head' ? name : `fed ${name}`);
