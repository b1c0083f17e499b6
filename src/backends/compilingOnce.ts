import { sha256Hex } from '../io/sha256/sha256.ts';
import type { Program } from '../program/program.ts';
import type { Backend, Executable } from './backend.ts';
import { flatten } from './worker/crossing/flatProgram.ts';

/** The same for programs that compute the same from the same names, whoever built them. */
function digestOf(program: Program, fetches: readonly string[]): string {
  const maps = (_: string, value: unknown) => (value instanceof Map ? [...value] : value);
  const text = JSON.stringify([flatten(program), fetches], maps);
  return sha256Hex(new TextEncoder().encode(text));
}

/** A backend that keeps what it has compiled, for runs that have the same programs. What is kept goes with the backend. */
export function compilingOnce(backend: Backend): Backend {
  const compiled = new Map<string, Promise<Executable>>();
  return {
    ...backend,
    compile(program, fetches) {
      const key = digestOf(program, fetches);
      const known = compiled.get(key) ?? backend.compile(program, fetches);
      compiled.set(key, known);
      return known.then((executable) => ({ ...executable, dispose: async () => {} }));
    },
  };
}
