/** How a model is shown an image in training: mirrored, then cropped from a border 4 wide. */
export interface Shown {
  /** Its place in the set. */
  readonly index: number;
  readonly flip: boolean;
  /** The crop's first row and column in the padded image: 4 and 4 where nothing is cropped. */
  readonly top: number;
  readonly left: number;
}

export const padding = 4;
export const offsets = 2 * padding + 1;

/** Which of the two random transforms comes first. */
export type First = 'flip' | 'crop';

/** Mirrored after it is cropped, an image is cropped as far from the other edge. */
const turned = (flip: boolean, column: number, first: First): number =>
  first === 'crop' && flip ? 2 * padding - column : column;

/** From what was drawn, whose column is that of an image as it is when it is cropped. */
export const shownAs = (
  index: number,
  drawn: { readonly flip: boolean; readonly top: number; readonly column: number },
  first: First,
): Shown => ({
  index,
  flip: drawn.flip,
  top: drawn.top,
  left: turned(drawn.flip, drawn.column, first),
});

/** The column that was drawn. */
export const columnOf = ({ flip, left }: Shown, first: First): number => turned(flip, left, first);

export const plainly = (index: number): Shown => ({
  index,
  flip: false,
  top: padding,
  left: padding,
});

export const isPlain = ({ flip, top, left }: Shown): boolean =>
  !flip && top === padding && left === padding;

/** The same mirroring and crop, of whichever image. */
export const sameView = (a: Shown, b: Shown): boolean =>
  a.flip === b.flip && a.top === b.top && a.left === b.left;
