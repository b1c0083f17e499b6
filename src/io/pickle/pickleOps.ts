import {
  appendItems,
  build,
  callGlobal,
  float64,
  int32,
  line,
  MAX_TEXT,
  type Machine,
  oldText,
  pop,
  popMany,
  popMark,
  push,
  pushGlobal,
  recall,
  setItems,
  take,
  text,
  top,
  tupleItems,
  uint8,
  uint16,
  uint32,
  uint64,
} from './pickleMachine.ts';
import {
  floatFromText,
  intFromText,
  longFromBytes,
  longFromText,
  unescapeRaw,
  unquote,
} from './pickleText.ts';
import { isKind, type PickleValue, pickleType } from './pickleValue.ts';

const containerBytes = 64;

type Op = (m: Machine) => void;
type Read<T> = (m: Machine) => T;

const constant =
  (value: PickleValue): Op =>
  (m) =>
    push(m, value);
/** A container takes more memory than the byte or two that ask for it. */
const make = (m: Machine, container: PickleValue): void => {
  m.spend(containerBytes);
  push(m, container);
};
const dict = (items: readonly PickleValue[], m: Machine): void => {
  const made: PickleValue = { kind: 'dict', entries: new Map() };
  setItems(m, made, items);
  make(m, made);
};
const tuple = (m: Machine, items: readonly PickleValue[]): void =>
  make(m, { kind: 'tuple', items });
const store = (m: Machine, index: number): void => {
  m.memo.set(index, top(m));
};
const unicode =
  (length: Read<number>): Op =>
  (m) =>
    push(m, text(m, length(m)));
const bytes =
  (length: Read<number>): Op =>
  (m) =>
    push(m, take(m, length(m)));
const oldString =
  (length: Read<number>): Op =>
  (m) =>
    push(m, oldText(m, length(m)));
const index = (m: Machine): number => {
  const digits = line(m);
  if (!/^\d{1,10}$/.test(digits)) throw m.damaged('the pickle holds an unreadable index');
  return Number(digits);
};
const persistent = (m: Machine, id: PickleValue): void => {
  if (m.persistent === undefined) throw m.damaged('the pickle refers to data outside itself');
  push(m, m.persistent(id, m));
};
const refuse =
  (what: string): Op =>
  (m) => {
    throw m.damaged(`the pickle uses ${what}, which no array file needs`);
  };
/** Lines that may hold whole arrays in protocol 0. */
const longLine = (m: Machine): string => {
  const found = line(m, MAX_TEXT);
  m.spend(2 * found.length);
  return found;
};

/** Every instruction of protocols 0 to 5, by its byte. Source: CPython's pickletools. */
const table: { readonly [code: string]: Op } = {
  '\x80': (m) => {
    const protocol = uint8(m);
    if (protocol > 5) throw m.damaged(`pickle protocol ${protocol} is not known`);
  },
  '\x95': (m) => {
    // Frames only help buffering; the instructions inside are read as they come.
    if (uint64(m) > m.bytes.byteLength - m.at) throw m.damaged('the pickle is cut short');
  },
  '.': (m) => {
    m.stopped = true;
  },
  '(': (m) => m.marks.push(m.stack.length),
  '0': (m) => {
    if (m.marks.at(-1) === m.stack.length) m.marks.pop();
    else pop(m);
  },
  '1': (m) => popMark(m),
  '2': (m) => push(m, top(m)),

  N: constant(null),
  '\x88': constant(true),
  '\x89': constant(false),
  I: (m) => push(m, intFromText(line(m), m)),
  L: (m) => push(m, longFromText(line(m), m)),
  F: (m) => push(m, floatFromText(line(m), m)),
  J: (m) => push(m, int32(m)),
  K: (m) => push(m, uint8(m)),
  M: (m) => push(m, uint16(m)),
  G: (m) => push(m, float64(m)),
  '\x8a': (m) => push(m, longFromBytes(take(m, uint8(m)), m)),
  '\x8b': (m) => push(m, longFromBytes(take(m, uint32(m)), m)),

  S: (m) => push(m, unquote(longLine(m), m)),
  V: (m) => push(m, unescapeRaw(longLine(m), m)),
  T: oldString(uint32),
  U: oldString(uint8),
  X: unicode(uint32),
  '\x8c': unicode(uint8),
  '\x8d': unicode(uint64),
  B: bytes(uint32),
  C: bytes(uint8),
  '\x8e': bytes(uint64),
  '\x96': bytes(uint64),
  '\x97': refuse('buffers outside itself'),
  '\x98': refuse('buffers outside itself'),

  ']': (m) => make(m, { kind: 'list', items: [] }),
  l: (m) => make(m, { kind: 'list', items: popMark(m) }),
  a: (m) => {
    const item = pop(m);
    appendItems(m, 'list', top(m), [item]);
  },
  e: (m) => {
    const items = popMark(m);
    appendItems(m, 'list', top(m), items);
  },
  ')': (m) => tuple(m, []),
  t: (m) => tuple(m, popMark(m)),
  '\x85': (m) => tuple(m, popMany(m, 1)),
  '\x86': (m) => tuple(m, popMany(m, 2)),
  '\x87': (m) => tuple(m, popMany(m, 3)),
  '}': (m) => dict([], m),
  d: (m) => dict(popMark(m), m),
  s: (m) => {
    const pair = popMany(m, 2);
    setItems(m, top(m), pair);
  },
  u: (m) => {
    const pairs = popMark(m);
    setItems(m, top(m), pairs);
  },
  '\x8f': (m) => make(m, { kind: 'set', items: [] }),
  '\x90': (m) => {
    const items = popMark(m);
    appendItems(m, 'set', top(m), items);
  },
  '\x91': (m) => make(m, { kind: 'set', items: popMark(m) }),

  g: (m) => recall(m, index(m)),
  h: (m) => recall(m, uint8(m)),
  j: (m) => recall(m, uint32(m)),
  p: (m) => store(m, index(m)),
  q: (m) => store(m, uint8(m)),
  r: (m) => store(m, uint32(m)),
  '\x94': (m) => store(m, m.memo.size),

  c: (m) => {
    const module = line(m);
    pushGlobal(m, module, line(m));
  },
  '\x93': (m) => {
    const [module, name] = popMany(m, 2);
    pushGlobal(m, module, name);
  },
  R: (m) => {
    const [callee, args] = popMany(m, 2);
    callGlobal(m, callee, tupleItems(m, args));
  },
  '\x81': (m) => {
    const [callee, args] = popMany(m, 2);
    callGlobal(m, callee, tupleItems(m, args));
  },
  '\x92': (m) => {
    const [callee, args, named] = popMany(m, 3);
    if (!isKind(named, 'dict')) throw m.damaged('the pickle calls with unreadable arguments');
    if (named.entries.size === 0) callGlobal(m, callee, tupleItems(m, args));
    // No rule of ours takes names.
    else push(m, { kind: 'opaque', name: pickleType(callee), args: [callee, args, named] });
  },
  o: (m) => {
    const [callee, ...args] = popMark(m);
    callGlobal(m, callee ?? null, args);
  },
  i: (m) => {
    const module = line(m);
    const name = line(m);
    const args = popMark(m);
    pushGlobal(m, module, name);
    callGlobal(m, pop(m), args);
  },
  b: (m) => {
    const state = pop(m);
    build(m, top(m), state);
  },
  P: (m) => persistent(m, line(m)),
  Q: (m) => persistent(m, pop(m)),
  '\x82': refuse('an extension registry'),
  '\x83': refuse('an extension registry'),
  '\x84': refuse('an extension registry'),
};

/** The instructions indexed by byte; undefined where there is none. */
export const pickleOps: readonly (Op | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => table[String.fromCharCode(code)],
);
