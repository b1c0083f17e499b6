import type { Backend, Executable } from '../backends/backend.ts';
import type { Program } from '../program/program.ts';

/** A program in every batch size that turns up: shapes are static, and the last batch is short. */
export interface ByBatchSize {
  get(batch: number): Promise<Executable>;
}

/** Compiles `build(batch)` when a batch size first appears and keeps it. */
export function byBatchSize(
  backend: Backend,
  build: (batch: number) => Program,
  fetches: readonly string[],
): ByBatchSize {
  const compiled = new Map<number, Promise<Executable>>();
  return {
    get(batch) {
      const known = compiled.get(batch) ?? backend.compile(build(batch), fetches);
      compiled.set(batch, known);
      return known;
    },
  };
}
