import type { Shape } from '../../../tensor/shape.ts';
import type { HeldType, Memory, OrtValue } from './memory.ts';

/** Memory that a run has replaced, for the next run to write to. */
export interface Spares<Value extends OrtValue = OrtValue> {
  take(dtype: HeldType, shape: Shape): Value;
  give(value: Value): void;
  /** Releases what nobody has taken. */
  empty(): void;
}

export function sparesOf<Value extends OrtValue>(memory: Memory<Value>): Spares<Value> {
  const kept = new Map<string, Value[]>();
  const listFor = (dtype: HeldType, shape: Shape): Value[] => {
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
