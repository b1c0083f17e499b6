import { InputError } from '../errors.ts';
import { memoryBudget } from './budget.ts';
import type { Machine } from './pickleMachine.ts';
import { pop } from './pickleMachine.ts';
import { pickleOps } from './pickleOps.ts';
import type { PickleContext, PickleGlobals, PickleValue } from './pickleValue.ts';

export interface UnpickleOptions {
  /** Everything the pickle may name; see `plainGlobals` for the harmless common ones. */
  readonly globals: PickleGlobals;
  /** Resolves the persistent ids by which a pickle refers to data outside itself. */
  readonly persistent?: (id: PickleValue, context: PickleContext) => PickleValue;
  /** What to do about a bad file, at the end of every message. */
  readonly fix?: string;
}

/** For any file a second's work; a dict of short arrays has one in 2.2 bytes. */
const instructionLimit = (fileBytes: number): number => 1_000_000 + fileBytes / 2;

/**
 * Runs a pickle (protocols 0 to 5) and returns the value it builds. No Python name is ever looked
 * up: a global is either in `globals`, and then our own rule stands in for it, or the pickle is
 * refused by that name. No recursion, bounded memory and time. Throws InputError naming `where` for
 * a refused, damaged or overlong pickle. Source: CPython's pickletools.
 */
export function unpickle(
  bytes: Uint8Array,
  where: string,
  {
    globals,
    persistent,
    fix = 'load and save the file again with the tool that wrote it',
  }: UnpickleOptions,
): PickleValue {
  const damaged = (what: string) => new InputError(what, { where, fix });
  const machine: Machine = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
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
    if (op === undefined) throw damaged(`0x${code.toString(16)} is no pickle instruction`);
    op(machine);
  }
  const value = pop(machine);
  if (machine.stack.length > 0 || machine.marks.length > 0) {
    throw damaged('the pickle ends with values left over');
  }
  if (machine.at !== bytes.byteLength) throw damaged('there are bytes after the end of the pickle');
  return value;
}
