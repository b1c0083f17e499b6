import type { NamedSource, NumberSource, Pass, Step, Tail } from './pass.ts';
import { memoryImport, type PassFunction, passModule } from './passModule.ts';
import { passOps } from './passOps.ts';
import type { WasmMemory } from './wasmMemory.ts';
import { type SharedMemory, webAssembly } from './webAssembly.ts';

/** What a tail works on. */
export interface TailValues {
  /** One number. */
  readonly number: (source: NumberSource) => number;
  /** Where a tensor lies in the memory of passes. */
  readonly address: (source: NamedSource) => number;
}

export interface TailRunner {
  /** Writes the state, and gives the fetches that are the tail's, which are single numbers. */
  run(values: TailValues): ReadonlyMap<string, number>;
}

/** By what they compute, whatever they are called: tensors of one kind share a function. */
const functions = new WeakMap<SharedMemory, Map<string, PassFunction>>();

function functionOf(pass: Pass, memory: SharedMemory): PassFunction {
  const known = functions.get(memory) ?? new Map<string, PassFunction>();
  functions.set(memory, known);
  const { tensors, scalars, steps, writes, sums } = pass;
  const kind = JSON.stringify([
    ...[tensors.length, scalars.length, steps, writes.map(({ value }) => value), sums],
  ]);
  const found = known.get(kind);
  if (found !== undefined) return found;
  const [module, name] = memoryImport;
  const { exports } = new webAssembly!.Instance(new webAssembly!.Module(passModule(pass)), {
    [module]: { [name]: memory },
  });
  const made = exports.pass as PassFunction;
  known.set(kind, made);
  return made;
}

/** Compiles what is left of a program. A run writes tensors where they lie, and cannot fail on its way. */
export function tailRunner({ passes, numbers }: Tail, { memory }: WasmMemory): TailRunner {
  const calls = passes.map((pass) => functionOf(pass, memory));
  return {
    run({ number, address }) {
      const given = passes.map(({ tensors, writes, scalars, size }) => [
        ...tensors.map(address),
        ...writes.map(({ state: name }) => address({ from: 'state', name })),
        ...scalars.map(number),
        size,
      ]);
      const sums = calls.map((call, i) => [call(...given[i]) ?? []].flat());
      const values = numbers.scalars.map((source) =>
        Math.fround(source.from === 'sum' ? sums[source.pass][source.at] : number(source)),
      );
      for (const step of numbers.steps) values.push(computed(step, values));
      return new Map([...numbers.fetched].map(([name, i]) => [name, values[i]]));
    },
  };
}

const computed = ({ op, operands }: Step, values: readonly number[]): number => {
  const [a, b] = operands.map((i) => values[i]);
  return Math.fround(passOps[op].of(a, b));
};
