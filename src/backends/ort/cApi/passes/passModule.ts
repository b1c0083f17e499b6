import type { Pass } from './pass.ts';
import { type PassOpName, passOps } from './passOps.ts';

/*
 * A pass as a module of WebAssembly (core specification 2.0, chapter 5): a loop over vectors of four, then one over what
 * is left. Each element's tensors are loaded before anything is stored, so a value may be written over what it is
 * computed from.
 */

/** (addresses of tensors, addresses of what is written, scalars, elements) → sums. */
export type PassFunction = (...args: readonly number[]) => number | readonly number[] | undefined;

const i32 = 0x7f;
const f32 = 0x7d;
const v128 = 0x7b;

type Code = readonly number[];

const unsigned = (value: number): Code =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const text = (value: string): Code => list([...value].map((c) => [c.charCodeAt(0)]));

const get = (local: number): Code => [0x20, ...unsigned(local)];
const set = (local: number): Code => [0x21, ...unsigned(local)];
const constant = (value: number): Code => [0x41, ...unsigned(value)];
const vector = (code: number): Code => [0xfd, ...unsigned(code)];
/** With the alignment that tensors have, 2², and no offset. */
const inMemory: Code = [2, 0];

/** How a loop works on its elements: one at a time, or four. */
interface Lanes {
  readonly count: number;
  readonly load: Code;
  readonly store: Code;
  /** A number for all lanes. */
  readonly spread: Code;
  readonly op: (name: PassOpName) => Code;
}

const four: Lanes = {
  count: 4,
  load: [...vector(0), ...inMemory],
  store: [...vector(11), ...inMemory],
  spread: vector(0x13),
  op: (name) => vector(passOps[name].vector),
};

const one: Lanes = {
  count: 1,
  load: [0x2a, ...inMemory],
  store: [0x38, ...inMemory],
  spread: [],
  op: (name) => [passOps[name].scalar],
};

/** Where the memory is imported from: module, name. */
export const memoryImport = ['memory', 'of'] as const;

/** The most pages of 64 KiB that WebAssembly addresses: 4 GiB. */
export const mostPages = 65536;

export function passModule({ tensors, scalars, steps, writes, sums }: Pass): Uint8Array {
  const pointers = tensors.length + writes.length;
  const parameters = pointers + scalars.length + 1;
  const elements = parameters - 1;
  const values = tensors.length + scalars.length + steps.length;
  // Locals behind the parameters: where the loop stands and where it ends, in bytes; then by kind of lanes.
  const [at, end] = [parameters, parameters + 1];
  const ofFour = parameters + 2;
  const ofOne = ofFour + values + sums.length;
  const firstOf = (lanes: Lanes): number => (lanes === four ? ofFour : ofOne);
  const address = (pointer: number): Code => [...get(pointer), ...get(at), 0x6a];

  const numbersOf = (lanes: Lanes): Code =>
    scalars.flatMap((_, i) => [
      ...get(pointers + i),
      ...lanes.spread,
      ...set(firstOf(lanes) + tensors.length + i),
    ]);

  /** While at < end: one round. */
  function loop(lanes: Lanes): Code {
    const value = (i: number): number => firstOf(lanes) + i;
    const sum = (i: number): number => firstOf(lanes) + values + i;
    const round = [
      ...tensors.flatMap((_, i) => [...address(i), ...lanes.load, ...set(value(i))]),
      ...steps.flatMap(({ op, operands }, i) => [
        ...operands.flatMap((operand) => get(value(operand))),
        ...lanes.op(op),
        ...set(value(tensors.length + scalars.length + i)),
      ]),
      ...writes.flatMap((write, i) => [
        ...address(tensors.length + i),
        ...get(value(write.value)),
        ...lanes.store,
      ]),
      ...sums.flatMap((summed, i) => [
        ...get(sum(i)),
        ...get(value(summed)),
        ...lanes.op('add'),
        ...set(sum(i)),
      ]),
      ...[...get(at), ...constant(4 * lanes.count), 0x6a, ...set(at)],
    ];
    // block: loop: leave the block unless at < end; a round; again.
    return [
      0x02,
      0x40,
      0x03,
      0x40,
      ...get(at),
      ...get(end),
      0x4f,
      0x0d,
      1,
      ...round,
      0x0c,
      0,
      0x0b,
      0x0b,
    ];
  }

  /** What the four lanes have summed up, and what came after them. */
  const total = (i: number): Code => [
    ...[0, 1, 2, 3].flatMap((lane) => [
      ...get(ofFour + values + i),
      ...vector(0x1f),
      lane,
      ...(lane === 0 ? [] : one.op('add')),
    ]),
    ...get(ofOne + values + i),
    ...one.op('add'),
  ];

  const code = [
    ...list([
      [2, i32],
      [...unsigned(values + sums.length), v128],
      [...unsigned(values + sums.length), f32],
    ]),
    ...numbersOf(four),
    // Whole vectors end at the last multiple of 16 bytes.
    ...[...get(elements), ...constant(2), 0x74, 0x41, 0x70, 0x71, ...set(end)],
    ...loop(four),
    ...numbersOf(one),
    ...[...get(elements), ...constant(2), 0x74, ...set(end)],
    ...loop(one),
    ...sums.flatMap((_, i) => total(i)),
    0x0b,
  ];
  const type = [
    0x60,
    ...list([...Array.from({ length: pointers }, () => [i32]), ...scalars.map(() => [f32]), [i32]]),
    ...list(sums.map(() => [f32])),
  ];
  // A shared memory of at least no page.
  const memory = [
    ...text(memoryImport[0]),
    ...text(memoryImport[1]),
    2,
    3,
    0,
    ...unsigned(mostPages),
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([type])),
    ...section(2, list([memory])),
    ...section(3, list([[0]])),
    ...section(7, list([[...text('pass'), 0, 0]])),
    ...section(10, list([[...unsigned(code.length), ...code]])),
  ]);
}
