import { type Arrangement, arrangements, straight } from './arrangements.ts';
import { pixels, plane, type RawSet, side } from './rawSet.ts';
import { offsets, padding, type Shown } from './shown.ts';
import type { ValueTable } from './values.ts';

/** How an image came to be what was fed. */
export interface Seen extends Shown {
  readonly arrangement: Arrangement;
  /** Mirrored top to bottom, behind what else was done. */
  readonly upsideDown: boolean;
}

export interface Decoded {
  readonly seen: readonly Seen[];
  /** What each byte became. */
  readonly values: ValueTable;
}

/** The column or row of the image behind one of what is shown; outside 0 … 31 where it lies in the border. */
export const behind = (place: number, offset: number): number => place + offset - padding;
export const mirrored = (place: number, is: boolean): number => (is ? side - 1 - place : place);

/**
 * Whether what lies inside the border is this image, mirrored and cropped like this: every byte has one value.
 * Values that were not known are entered, and forgotten again where it is not.
 */
function agrees(
  shown: Float32Array,
  bytes: Uint8Array,
  { arrangement: { from, at }, flip, upsideDown, top, left, index }: Seen,
  values: ValueTable,
  added: number[],
): boolean {
  const first = index * pixels;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < side; y++) {
      const row = behind(y, top);
      if (row < 0 || row >= side) continue;
      const line = c * plane + mirrored(row, upsideDown) * side;
      for (let x = 0; x < side; x++) {
        const column = behind(x, left);
        if (column < 0 || column >= side) continue;
        const key = 256 * c + bytes[first + from[line + mirrored(column, flip)]];
        const value = shown[at[c * plane + y * side + x]];
        if (values[key] === value) continue;
        if (!Number.isNaN(values[key]) || Number.isNaN(value)) {
          for (const k of added) values[k] = Number.NaN;
          return false;
        }
        values[key] = value;
        added.push(key);
      }
    }
  }
  return true;
}

/** A way that makes so many different values of what was not known before is no accident. */
const enoughValues = 24;
/** Of a larger set only so many are tried beside the expected one. */
const mostTried = 64;
/** Offsets beyond those that are drawn, for those that are counted otherwise. */
const beyond = 1;

function* ways(guess: Shown, last: Seen | undefined, count: number): Generator<Seen> {
  const first = last?.arrangement ?? straight;
  const others = arrangements.filter((a) => a !== first);
  const indices = [
    guess.index,
    ...Array.from({ length: Math.min(count, mostTried) }, (_, i) => i).filter(
      (i) => i !== guess.index,
    ),
  ].filter((i) => i < count);
  for (const arrangement of [first, ...others]) {
    for (const index of indices) {
      for (const upsideDown of [false, true]) {
        for (const flip of upsideDown ? [false, true] : [guess.flip, !guess.flip]) {
          yield { ...guess, index, flip, upsideDown, arrangement };
          for (let top = -beyond; top < offsets + beyond; top++) {
            for (let left = -beyond; left < offsets + beyond; left++) {
              yield { index, flip, top, left, upsideDown, arrangement };
            }
          }
        }
      }
    }
  }
}

function decodedBy(
  images: readonly Float32Array[],
  guesses: readonly Shown[],
  { images: bytes, count }: RawSet,
  values: ValueTable,
  search: boolean,
): Decoded | undefined {
  const seen: Seen[] = [];
  const known = !Number.isNaN(values[0]);
  for (const [k, shown] of images.entries()) {
    const guessed: Seen = { ...guesses[k], arrangement: straight, upsideDown: false };
    let found: Seen | undefined;
    for (const way of search ? ways(guesses[k], seen.at(-1), count) : [guessed]) {
      const added: number[] = [];
      if (!agrees(shown, bytes, way, values, added)) continue;
      const different = new Set(added.map((key) => values[key])).size;
      if (!search || known || seen.length > 0 || different >= enoughValues) {
        found = way;
        break;
      }
      for (const key of added) values[key] = Number.NaN;
    }
    if (found === undefined) return undefined;
    seen.push(found);
  }
  return { seen, values };
}

/**
 * Which image of the set each of these is, and what was done to it: first by the values that are expected, then as it
 * is expected with any values, then by any way with any values, of which every byte of a channel has one. Undefined
 * where no way makes them all.
 */
export function decode(
  images: readonly Float32Array[],
  guesses: readonly Shown[],
  set: RawSet,
  expected: ValueTable,
): Decoded | undefined {
  const unknown = (): ValueTable => new Float64Array(3 * 256).fill(Number.NaN);
  return (
    decodedBy(images, guesses, set, expected.slice(), true) ??
    decodedBy(images, guesses, set, unknown(), false) ??
    decodedBy(images, guesses, set, unknown(), true)
  );
}
