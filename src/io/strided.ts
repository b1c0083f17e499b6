import { type Shape, sizeOf, stridesOf } from '../tensor/shape.ts';

/** Where the elements of an array lie in a buffer, counted in elements. */
export interface Strided {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** One past the largest element index the layout touches; 0 when it touches none. */
export function extentOf({ shape, strides, offset }: Strided): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((end, d, i) => end + (d - 1) * strides[i], offset) + 1;
}

const isDense = ({ shape, strides }: Strided): boolean => {
  const dense = stridesOf(shape);
  return shape.every((d, i) => d === 1 || strides[i] === dense[i]);
};

const wordsOf = {
  1: (b: Uint8Array) => b,
  2: (b: Uint8Array) => new Uint16Array(b.buffer, b.byteOffset, b.byteLength / 2),
  4: (b: Uint8Array) => new Uint32Array(b.buffer, b.byteOffset, b.byteLength / 4),
} as const;

/** Elements move as integer words, since a NaN's payload need not survive a float register. */
const wordBytes: { readonly [bytes: number]: 1 | 2 | 4 } = { 1: 1, 2: 2, 4: 4, 8: 4, 16: 4 };

function aligned(bytes: Uint8Array, width: number): Uint8Array {
  return bytes.byteOffset % width === 0 ? bytes : Uint8Array.from(bytes);
}

/**
 * The elements of a strided array of `width` bytes an element, dense and in C order: a view of `bytes`
 * where they lie so already, else a copy. The caller has checked that `extentOf(layout)` elements are there.
 */
export function gather(width: number, bytes: Uint8Array, layout: Strided): Uint8Array {
  const { shape, strides, offset } = layout;
  const size = sizeOf(shape);
  if (size === 0) return new Uint8Array(0);
  if (isDense(layout)) return bytes.subarray(offset * width, (offset + size) * width);
  const word = wordBytes[width];
  const per = width / word;
  const whole = bytes.subarray(0, bytes.byteLength - (bytes.byteLength % word));
  const from = wordsOf[word](aligned(whole, word));
  const out = new Uint8Array(size * width);
  const to = wordsOf[word](out);
  const index = new Array<number>(shape.length).fill(0);
  let source = offset * per;
  for (let i = 0; i < size * per; i += per) {
    for (let k = 0; k < per; k++) to[i + k] = from[source + k];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += strides[axis] * per;
      index[axis]++;
      if (index[axis] < shape[axis]) break;
      source -= strides[axis] * per * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

/** Fortran-order strides: the first axis runs fastest. */
export const fortranStrides = (shape: Shape): number[] => stridesOf([...shape].reverse()).reverse();
