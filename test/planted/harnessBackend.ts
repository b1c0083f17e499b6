import type { Backend, Executable } from '../../src/backends/backend.ts';
import { openInProcess } from '../../src/backends/registry.ts';
import { flatten } from '../../src/backends/worker/crossing/flatProgram.ts';
import { sha256Hex } from '../../src/io/sha256/sha256.ts';
import type { Program } from '../../src/program/program.ts';
import { sizeOf } from '../../src/tensor/shape.ts';

/** Programs on no more numbers than this are kept: those of single layers and of the small network. */
const mostNumbers = 200_000;

const isSmall = ({ state }: Program): boolean =>
  [...state.values()].reduce((sum, { current }) => sum + sizeOf(current.shape), 0) <= mostNumbers;

/** Everything a program computes, as one digest: a planted bug in it makes it another program. */
function digestOf(program: Program, fetches: readonly string[]): string {
  const text = JSON.stringify([flatten(program), fetches], (_, value) =>
    value instanceof Map ? [...value] : value,
  );
  return sha256Hex(new TextEncoder().encode(text));
}

/**
 * ONNX Runtime in this thread. A small program is compiled once, whichever bug asks for it, and runs on one
 * thread: dividing it costs more than it brings.
 */
export async function harnessBackend(): Promise<Backend> {
  const backend = await openInProcess('ort');
  const single = await openInProcess('ort', { threads: 1 });
  const kept = new Map<string, Promise<Executable>>();
  return {
    ...backend,
    async compile(program, fetches) {
      if (!isSmall(program)) return backend.compile(program, fetches);
      const key = digestOf(program, fetches);
      const executable = kept.get(key) ?? single.compile(program, fetches);
      kept.set(key, executable);
      const { run } = await executable;
      return { run, dispose: async () => {} };
    },
  };
}
