import { behind, mirrored, type Seen } from './decode.ts';
import { pixels, plane, type RawSet, side } from './rawSet.ts';

type Outside = (place: number) => number;

/** Places outside an image, and which place inside they are filled from. */
const fillings: readonly { readonly key: string; readonly says: string; readonly from: Outside }[] =
  [
    {
      key: 'reflection',
      says: 'padded by reflection, the reference with black pixels: wrong only at the border',
      from: (x) => side - 1 - Math.abs(side - 1 - Math.abs(x)),
    },
    {
      key: 'edge',
      says: 'padded by repeating the edge, the reference with black pixels: wrong only at the border',
      from: (x) => Math.min(side - 1, Math.max(0, x)),
    },
    {
      key: 'symmetric',
      says: 'padded by reflection with the edge twice, the reference with black pixels: wrong only at the border',
      from: (x) => (x < 0 ? -1 - x : x >= side ? 2 * side - 1 - x : x),
    },
    {
      key: 'circular',
      says: 'padded by going round, the reference with black pixels: wrong only at the border',
      from: (x) => (x + side) % side,
    },
  ];

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 4e-6 * Math.max(1, Math.abs(b));

export interface BorderFit {
  readonly key: string;
  /** Nothing where it is black, as the reference's. */
  readonly says?: string;
}

/** What the border of cropped images is filled with; undefined where nothing explains it. */
export function borderFit(
  images: readonly Float32Array[],
  seen: readonly Seen[],
  set: RawSet,
  numberOf: (channel: number, byte: number) => number,
): BorderFit | undefined {
  const holds = (expected: (c: number, row: number, column: number, way: Seen) => number) =>
    images.every((shown, k) => {
      const way = seen[k];
      for (let place = 0; place < pixels; place++) {
        const c = Math.floor(place / plane);
        const row = behind(Math.floor((place % plane) / side), way.top);
        const column = behind(place % side, way.left);
        if (row >= 0 && row < side && column >= 0 && column < side) continue;
        if (!near(shown[way.arrangement.at[place]], expected(c, row, column, way))) return false;
      }
      return true;
    });
  if (holds((c) => numberOf(c, 0))) return { key: 'black' };
  if (holds(() => 0)) {
    return {
      key: 'grey',
      says: 'padded with zeros after normalising: the border is grey, the reference pads with black pixels before',
    };
  }
  if (holds((c) => numberOf(c, 255))) {
    return {
      key: 'white',
      says: 'padded with white pixels, the reference with black: wrong only at the border',
    };
  }
  return fillings.find(({ from }) =>
    holds((c, row, column, { index, flip, upsideDown, arrangement }) => {
      const place =
        c * plane + mirrored(from(row), upsideDown) * side + mirrored(from(column), flip);
      return numberOf(c, set.images[index * pixels + arrangement.from[place]]);
    }),
  );
}
