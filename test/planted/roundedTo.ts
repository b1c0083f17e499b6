import { mul, sub } from '../../src/ir/build.ts';
import type { Node } from '../../src/ir/node.ts';

/**
 * x rounded to so many bits of a float32's 24, by Veltkamp's splitting: no cast is needed, and the range of exponents
 * stays.
 */
const roundedTo = (x: Node, bits: number): Node => {
  const shifted = mul(x, 2 ** (24 - bits) + 1);
  return sub(shifted, sub(shifted, x));
};

export const inBfloat16 = (x: Node): Node => roundedTo(x, 8);

export const inFloat16 = (x: Node): Node => roundedTo(x, 11);

/** The operands that a tensor core multiplies: as exact as float16's. */
export const inTf32 = inFloat16;
