import type { Op } from '../../../../ir/op.ts';

/** An operation of WebAssembly on float32: in every lane of a vector of four (its code after the prefix), and on one number. */
interface PassOp {
  readonly vector: number;
  readonly scalar: number;
  /** The same on numbers of JavaScript, before it is rounded to float32. */
  readonly of: (a: number, b: number) => number;
}

/** What a pass can compute. Each is rounded as IEEE 754 says, so the bits are those of any other engine. */
export const passOps = {
  add: { vector: 0xe4, scalar: 0x92, of: (a, b) => a + b },
  sub: { vector: 0xe5, scalar: 0x93, of: (a, b) => a - b },
  mul: { vector: 0xe6, scalar: 0x94, of: (a, b) => a * b },
  div: { vector: 0xe7, scalar: 0x95, of: (a, b) => a / b },
  neg: { vector: 0xe1, scalar: 0x8c, of: (a) => -a },
  sqrt: { vector: 0xe3, scalar: 0x91, of: Math.sqrt },
} as const satisfies { readonly [K in Op]?: PassOp };

export type PassOpName = keyof typeof passOps;

export const isPassOp = (op: Op): op is PassOpName => Object.hasOwn(passOps, op);
