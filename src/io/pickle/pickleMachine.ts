import {
  isKind,
  type PickleContext,
  type PickleGlobals,
  type PickleValue,
  pickleType,
} from './pickleValue.ts';

/** The state of one run; the functions below are the only way the instructions touch it. */
export interface Machine extends PickleContext {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  readonly stack: PickleValue[];
  /** Stack heights at open marks; nothing below the last one may be popped. */
  readonly marks: number[];
  readonly memo: Map<number, PickleValue>;
  readonly globals: PickleGlobals;
  readonly persistent: ((id: PickleValue, context: PickleContext) => PickleValue) | undefined;
  stopped: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const MAX_LINE = 4096;
/** Of a global, module and all. */
const MAX_NAME = 1024;
/** Text costs many times its bytes; only protocols before 3 put arrays into text at all. */
export const MAX_TEXT = 16 * 2 ** 20;

/** The next `length` bytes, as a view. */
export function take(m: Machine, length: number): Uint8Array {
  if (!(length <= m.bytes.byteLength - m.at)) throw m.damaged('the pickle is cut short');
  m.at += length;
  return m.bytes.subarray(m.at - length, m.at);
}

const fieldAt = (m: Machine, length: number): number => {
  take(m, length);
  return m.at - length;
};

export const uint8 = (m: Machine): number => m.view.getUint8(fieldAt(m, 1));
export const uint16 = (m: Machine): number => m.view.getUint16(fieldAt(m, 2), true);
export const uint32 = (m: Machine): number => m.view.getUint32(fieldAt(m, 4), true);
export const int32 = (m: Machine): number => m.view.getInt32(fieldAt(m, 4), true);
/** Lengths: whatever a number cannot hold exactly is past the end of any file anyway. */
export const uint64 = (m: Machine): number => Number(m.view.getBigUint64(fieldAt(m, 8), true));
/** Floats alone are big-endian in a pickle. */
export const float64 = (m: Machine): number => m.view.getFloat64(fieldAt(m, 8), false);

/** The text up to the next newline, a byte a character. */
export function line(m: Machine, limit = MAX_LINE): string {
  const end = m.bytes.indexOf(0x0a, m.at);
  if (end < 0) throw m.damaged('the pickle is cut short');
  if (end - m.at > limit) throw m.damaged('the pickle has an overlong line');
  const text = Buffer.from(take(m, end - m.at)).toString('latin1');
  m.at++;
  return text;
}

function takeText(m: Machine, length: number): Uint8Array {
  const bytes = take(m, length);
  if (length > MAX_TEXT) throw m.damaged('the pickle holds a text of more than 16 MiB');
  m.spend(2 * length);
  return bytes;
}

/** UTF-8 text of `length` bytes. */
export function text(m: Machine, length: number): string {
  const bytes = takeText(m, length);
  try {
    return utf8.decode(bytes);
  } catch {
    throw m.damaged('the pickle holds a string that is not UTF-8');
  }
}

/** Python 2's str, which may hold bytes: a character a byte. */
export const oldText = (m: Machine, length: number): string =>
  Buffer.from(takeText(m, length)).toString('latin1');

export const push = (m: Machine, value: PickleValue): void => {
  m.stack.push(value);
};

const floorOf = (m: Machine): number => m.marks.at(-1) ?? 0;

export function pop(m: Machine): PickleValue {
  if (m.stack.length <= floorOf(m)) throw m.damaged('the pickle pops more than it pushed');
  return m.stack.pop() as PickleValue;
}

export function top(m: Machine): PickleValue {
  if (m.stack.length <= floorOf(m)) throw m.damaged('the pickle pops more than it pushed');
  return m.stack[m.stack.length - 1];
}

/** The last `count` values, in the order they were put. */
export function popMany(m: Machine, count: number): PickleValue[] {
  if (m.stack.length - count < floorOf(m)) throw m.damaged('the pickle pops more than it pushed');
  return m.stack.splice(m.stack.length - count, count);
}

/** Everything put since the last mark. */
export function popMark(m: Machine): PickleValue[] {
  const mark = m.marks.pop();
  if (mark === undefined) throw m.damaged('the pickle closes a group it never opened');
  return m.stack.splice(mark);
}

export function recall(m: Machine, index: number): void {
  const value = m.memo.get(index);
  if (value === undefined) throw m.damaged('the pickle refers to a value it never stored');
  push(m, value);
}

/** The global `module.name`: a rule of ours, or a mark. Nothing of Python's is looked up. */
export function pushGlobal(m: Machine, module: PickleValue, name: PickleValue): void {
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw m.damaged('the pickle names a global that is not text');
  }
  if (module.length + name.length > MAX_NAME) {
    throw m.damaged('the pickle names a global of absurd length');
  }
  const full = `${module}.${name}`;
  m.spend(2 * full.length);
  push(m, { kind: 'global', name: full, rule: m.globals.get(full) });
}

/** Applies the rule of a global to positional arguments; without one, what it was given is kept. */
export function callGlobal(m: Machine, callee: PickleValue, args: readonly PickleValue[]): void {
  if (isKind(callee, 'global')) {
    push(m, callee.rule?.(args, m) ?? { kind: 'opaque', name: callee.name, args });
  } else if (isKind(callee, 'opaque')) {
    // The arguments stay in one piece: copied, a long tuple would cost its length at every call.
    push(m, { kind: 'opaque', name: callee.name, args: [callee, { kind: 'tuple', items: args }] });
  } else throw m.damaged(`the pickle calls ${pickleType(callee)}, which is not a function`);
}

export function tupleItems(m: Machine, value: PickleValue): readonly PickleValue[] {
  if (!isKind(value, 'tuple')) throw m.damaged('the pickle calls without a tuple of arguments');
  return value.items;
}

const unhashable = ['list', 'set', 'dict'] as const;

/** The dict itself, or that of an opaque object, which is made when it is first needed. */
function entriesOf(target: PickleValue): Map<PickleValue, PickleValue> | undefined {
  if (isKind(target, 'dict')) return target.entries;
  if (!isKind(target, 'opaque')) return undefined;
  target.entries ??= new Map();
  return target.entries;
}

export function setItems(m: Machine, target: PickleValue, items: readonly PickleValue[]): void {
  const entries = entriesOf(target);
  if (entries === undefined || items.length % 2 !== 0) {
    throw m.damaged('the pickle sets items where it cannot');
  }
  for (let i = 0; i < items.length; i += 2) {
    if (unhashable.some((kind) => isKind(items[i], kind))) {
      throw m.damaged(`the pickle uses a ${pickleType(items[i])} as dictionary key`);
    }
    entries.set(items[i], items[i + 1]);
  }
}

function itemsOf(kind: 'list' | 'set', target: PickleValue): PickleValue[] | undefined {
  if (isKind(target, kind)) return target.items;
  if (!isKind(target, 'opaque')) return undefined;
  target.items ??= [];
  return target.items;
}

export function appendItems(
  m: Machine,
  kind: 'list' | 'set',
  target: PickleValue,
  added: readonly PickleValue[],
): void {
  const items = itemsOf(kind, target);
  if (items === undefined) throw m.damaged(`the pickle appends to something that is not a ${kind}`);
  for (const item of added) items.push(item);
}

/** BUILD: objects take their state; a dict's (OrderedDict's) attributes carry no tensors. */
export function build(m: Machine, target: PickleValue, state: PickleValue): void {
  if (isKind(target, 'object') && target.build !== undefined) target.build(state, m);
  else if (isKind(target, 'opaque')) target.state = state;
  else if (!isKind(target, 'dict')) {
    throw m.damaged(`the pickle gives a state to ${pickleType(target)}, which takes none`);
  }
}
