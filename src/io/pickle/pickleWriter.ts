import { InputError } from '../../errors.ts';

/**
 * What can be written. Whole numbers become ints and others floats; `call` is a function applied to
 * arguments, optionally given items (a dict's) and a state afterwards.
 */
export type PickleNode =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | { readonly tuple: readonly PickleNode[] }
  | { readonly list: readonly PickleNode[] }
  | { readonly dict: readonly (readonly [PickleNode, PickleNode])[] }
  | { readonly global: readonly [module: string, name: string] }
  | { readonly persistent: PickleNode }
  | PickleCall;

export interface PickleCall {
  readonly call: PickleNode;
  readonly args: readonly PickleNode[];
  readonly items?: readonly (readonly [PickleNode, PickleNode])[];
  readonly state?: PickleNode;
}

type Put = (chunk: Uint8Array) => void;

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function sized(code: string, value: number, bytes: 1 | 2 | 4): Uint8Array {
  const out = Buffer.alloc(1 + bytes, code, 'latin1');
  out.writeUIntLE(value, 1, bytes);
  return out;
}

function integer(value: number): Uint8Array {
  if (value >= 0 && value <= 0xff) return sized('K', value, 1);
  if (value >= 0 && value <= 0xffff) return sized('M', value, 2);
  const int = Buffer.alloc(5, 'J', 'latin1');
  if (value === (value | 0)) {
    int.writeInt32LE(value, 1);
    return int;
  }
  const long = Buffer.alloc(10, '\x8a', 'latin1');
  long[1] = 8;
  long.writeBigInt64LE(BigInt(value), 2);
  return long;
}

function float(value: number): Uint8Array {
  const out = Buffer.alloc(9, 'G', 'latin1');
  out.writeDoubleBE(value, 1);
  return out;
}

const number = (value: number): Uint8Array =>
  Number.isSafeInteger(value) && !Object.is(value, -0) ? integer(value) : float(value);

function counted(code: string, bytes: Uint8Array, put: Put): void {
  if (bytes.byteLength > 0xffffffff) {
    throw new InputError('an array of more than 4 GiB does not fit into a pickle', {
      fix: 'write a .safetensors file instead',
    });
  }
  put(sized(code, bytes.byteLength, 4));
  put(bytes);
}

function group(nodes: readonly PickleNode[], close: string, put: Put): void {
  if (nodes.length === 0) return;
  put(ascii('('));
  for (const node of nodes) emit(node, put);
  put(ascii(close));
}

function tuple(nodes: readonly PickleNode[], put: Put): void {
  const short = ['', '\x85', '\x86', '\x87'][nodes.length];
  if (nodes.length === 0) put(ascii(')'));
  else if (short === undefined) group(nodes, 't', put);
  else {
    for (const node of nodes) emit(node, put);
    put(ascii(short));
  }
}

function call({ call: callee, args, items = [], state }: PickleCall, put: Put): void {
  emit(callee, put);
  tuple(args, put);
  put(ascii('R'));
  group(items.flat(), 'u', put);
  if (state === undefined) return;
  emit(state, put);
  put(ascii('b'));
}

function emit(node: PickleNode, put: Put): void {
  if (node === null) put(ascii('N'));
  else if (typeof node === 'boolean') put(ascii(node ? '\x88' : '\x89'));
  else if (typeof node === 'number') put(number(node));
  else if (typeof node === 'string') counted('X', new TextEncoder().encode(node), put);
  else if (node instanceof Uint8Array) counted('B', node, put);
  else if ('tuple' in node) tuple(node.tuple, put);
  else if ('list' in node) {
    put(ascii(']'));
    group(node.list, 'e', put);
  } else if ('dict' in node) {
    put(ascii('}'));
    group(node.dict.flat(), 'u', put);
  } else if ('global' in node) put(ascii(`c${node.global[0]}\n${node.global[1]}\n`));
  else if ('persistent' in node) {
    emit(node.persistent, put);
    put(ascii('Q'));
  } else call(node, put);
}

/**
 * Writes a pickle, chunk by chunk; byte arrays are passed through without copying. Protocol 2 is
 * what PyTorch reads; bytes exist from protocol 3 on. Nothing is memoised: what is shared in memory
 * is written twice.
 */
export function pickleChunks(node: PickleNode, protocol: 2 | 3): Uint8Array[] {
  const chunks: Uint8Array[] = [Uint8Array.of(0x80, protocol)];
  emit(node, (chunk) => chunks.push(chunk));
  chunks.push(ascii('.'));
  return chunks;
}
