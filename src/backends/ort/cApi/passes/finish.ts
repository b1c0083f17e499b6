import { DeviceError } from '../../../../errors.ts';
import type { Shape } from '../../../../tensor/shape.ts';
import { type Tensor, type TensorMap, toFloat32 } from '../../../../tensor/tensor.ts';
import type { DeviceState } from '../../../backend.ts';
import type { HostValue } from '../memory.ts';
import type { Spares } from '../spares.ts';
import type { Source } from './pass.ts';
import { tailRunner } from './runTail.ts';
import type { Parts } from './tailOf.ts';
import { isReached, type ReachedValue, type WasmMemory } from './wasmMemory.ts';

/** What the end of a program is carried out on. */
export interface Ending {
  readonly state: DeviceState;
  readonly inputs: TensorMap;
  /** What the head has computed for it, by the names of `Parts.reads`. */
  readonly read: ReadonlyMap<string, HostValue>;
  /** Where the fetches go. */
  readonly room: TensorMap;
}

/** Carries out the end of a program, behind its head. What it writes is a new value where the old one lay. */
export interface Finish {
  /** The state that it reads or writes. */
  readonly states: readonly string[];
  /** Throws DeviceError, before anything is written, where there is no memory left for what lies elsewhere. */
  run(ending: Ending): void;
}

export function finishOf({ tail }: Parts, memory: WasmMemory, spares: Spares<HostValue>): Finish {
  const runner = tailRunner(tail, memory);
  const written = tail.passes.flatMap(({ writes }) => writes.map(({ state }) => state));
  const read = tail.passes.flatMap(({ tensors, scalars }) => [...tensors, ...scalars]);
  const states = new Set([...written, ...namesFrom('state', [...read, ...tail.numbers.scalars])]);
  const wasWritten = new Set(written);
  return {
    states: [...states],
    run({ state, inputs, read: ofHead, room }) {
      const scratch = new Map<string, ReachedValue>();
      const heldFor = (source: Source): HostValue | undefined => {
        if (source.from === 'state') return state.get(source.name) as HostValue;
        return source.from === 'head' ? ofHead.get(source.name) : undefined;
      };
      const tensorOf = (source: Source): Tensor =>
        source.from === 'input' ? inputs.get(source.name)! : heldFor(source)!.tensor;
      /** A copy where passes reach it. */
      const copied = (source: Source & { readonly name: string }): ReachedValue => {
        const known = scratch.get(`${source.from} ${source.name}`);
        if (known !== undefined) return known;
        const t = tensorOf(source);
        const copy = reachedFrom(spares, t.shape);
        (copy.tensor.data as Float32Array).set(toFloat32(t));
        scratch.set(`${source.from} ${source.name}`, copy);
        return copy;
      };
      try {
        const fetched = runner.run({
          number: (source) =>
            source.from === 'constant' ? source.value : toFloat32(tensorOf(source))[0],
          address(source) {
            const value = heldFor(source);
            if (value !== undefined && isReached(value)) return value.address;
            return copied(source as Source & { readonly name: string }).address;
          },
        });
        for (const [name, value] of fetched) (room.get(name)!.data as Float32Array)[0] = value;
        for (const name of wasWritten) {
          const value = state.get(name) as HostValue;
          const copy = scratch.get(`state ${name}`);
          if (copy !== undefined)
            (value.tensor.data as Float32Array).set(copy.tensor.data as Float32Array);
          state.set(name, { ...value });
          value.gone = true;
        }
      } finally {
        for (const value of scratch.values()) spares.give(value);
      }
    },
  };
}

const namesFrom = (from: 'state', sources: readonly Source[]): string[] =>
  sources.flatMap((source) => (source.from === from ? [source.name] : []));

function reachedFrom(spares: Spares<HostValue>, shape: Shape): ReachedValue {
  const value = spares.take('float32', shape);
  if (isReached(value)) return value;
  spares.give(value);
  throw new DeviceError('there is no memory left for the update of the state');
}
