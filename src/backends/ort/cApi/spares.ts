import type { Shape } from '../../../tensor/shape.ts';
import type { HeldType, Memory, OrtValue } from './memory.ts';

/** Memory that a run has replaced, for the next run to write to. */
export interface Spares {
  take(dtype: HeldType, shape: Shape): OrtValue;
  give(value: OrtValue): void;
  /** Releases what nobody has taken. */
  empty(): void;
}

export function sparesOf(memory: Memory): Spares {
  const kept = new Map<string, OrtValue[]>();
  const listFor = (dtype: HeldType, shape: Shape): OrtValue[] => {
    const key = `${dtype} ${shape}`;
    const list = kept.get(key) ?? [];
    kept.set(key, list);
    return list;
  };
  return {
    take: (dtype, shape) => listFor(dtype, shape).pop() ?? memory.blank(dtype, shape),
    give: (value) => {
      listFor(value.dtype, value.shape).push(value);
    },
    empty() {
      for (const list of kept.values()) for (const value of list.splice(0)) memory.release(value);
    },
  };
}
