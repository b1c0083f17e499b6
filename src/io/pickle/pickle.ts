import { InputError } from '../../errors.ts';
import { memoryBudget } from '../budget.ts';
import type { Machine } from './pickleMachine.ts';
import { pop } from './pickleMachine.ts';
import { pickleOps } from './pickleOps.ts';
import type { PickleContext, PickleGlobals, PickleValue } from './pickleValue.ts';

export interface UnpickleOptions {
  /** The names that are understood; see `plainGlobals` for the common ones. */
  readonly globals: PickleGlobals;
  /** Resolves the persistent ids by which a pickle refers to data outside itself. */
  readonly persistent?: (id: PickleValue, context: PickleContext) => PickleValue;
  /** What to do about a bad file, at the end of every message. */
  readonly fix?: string;
}

/** For any file a second's work; a dict of short arrays has one in 2.2 bytes. */
const instructionLimit = (fileBytes: number): number => 1_000_000 + fileBytes / 2;

/** The value that a pickle in the middle of a file builds, and where the pickle ends. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly end: number;
}

/** Runs the pickle that begins at `start`; see `unpickle`. */
export function unpickleAt(
  bytes: Uint8Array,
  start: number,
  where: string,
  {
    globals,
    persistent,
    fix = 'load and save the file again with the tool that wrote it',
  }: UnpickleOptions,
): Unpickled {
  const damaged = (what: string) => new InputError(what, { where, fix });
  const machine: Machine = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: start,
    stack: [],
    marks: [],
    memo: new Map(),
    globals,
    persistent,
    stopped: false,
    damaged,
    spend: memoryBudget(bytes.byteLength, (limit) =>
      damaged(`the pickle unfolds to more than ${limit}`),
    ),
  };
  const limit = instructionLimit(bytes.byteLength);
  for (let n = 0; !machine.stopped; n++) {
    if (n >= limit) throw damaged('the pickle has too many instructions');
    if (machine.at >= bytes.byteLength) throw damaged('the pickle is cut short');
    const code = bytes[machine.at++];
    const op = pickleOps[code];
    if (op === undefined) throw damaged(`0x${code.toString(16)} is not a pickle instruction`);
    op(machine);
  }
  const value = pop(machine);
  if (machine.stack.length > 0 || machine.marks.length > 0) {
    throw damaged('the pickle ends with values left over');
  }
  return { value, end: machine.at };
}

/**
 * Runs a pickle (protocols 0 to 5) that takes all of `bytes` and returns the value it builds. No Python
 * name is ever looked up: for a global in `globals` our own rule stands in, and any other is kept as a
 * mark with what it was given. No recursion, bounded memory and work. Throws InputError naming `where` for
 * a damaged or overlong pickle. Source: CPython's pickletools.
 */
export function unpickle(bytes: Uint8Array, where: string, options: UnpickleOptions): PickleValue {
  const { value, end } = unpickleAt(bytes, 0, where, options);
  if (end === bytes.byteLength) return value;
  throw new InputError('there are bytes after the end of the pickle', {
    where,
    ...(options.fix === undefined ? {} : { fix: options.fix }),
  });
}
