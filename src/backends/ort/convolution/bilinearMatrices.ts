/**
 * Convolutions with stride 1 as bilinear algorithms (Winograd 1980, "Arithmetic Complexity of Computations"): three
 * constant matrices around independent products. One axis here; two axes are Kronecker products of one.
 *
 *     y = Eᵀ [(D x) · (G w)]
 *
 * The rows of D, E and G are the *frequencies*, one product each. A long axis is cut into tiles.
 */
export type Matrix = readonly (readonly number[])[];

/** Between an axis and its tiles by frequency. */
export interface AxisMatrix {
  readonly places: number;
  readonly tiles: number;
  /** [frequency][tile][place] */
  readonly rows: readonly Matrix[];
}

/** An algorithm for one axis. */
export interface AxisAlgorithm {
  /** D. */
  readonly input: AxisMatrix;
  /** E, as the gradient of the results meets it. */
  readonly output: AxisMatrix;
  /** G: [frequency][tap]. */
  readonly kernel: Matrix;
}

/** Chooses one for an input of `places` under `padding` on both sides, and so many results of so many taps. */
export type AxisChoice = (
  places: number,
  results: number,
  padding: number,
  taps: number,
) => AxisAlgorithm;

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

export function axisMatrix(
  [frequencies, tiles, places]: readonly [number, number, number],
  value: (frequency: number, tile: number, place: number) => number,
): AxisMatrix {
  const rows = range(frequencies).map((f) =>
    range(tiles).map((t) => range(places).map((p) => value(f, t, p))),
  );
  return { places, tiles, rows };
}

/** Both axes as one matrix: rows by frequency pair, then tile pair; columns by place. */
export const bothAxes = (down: AxisMatrix, across: AxisMatrix): number[][] =>
  down.rows.flatMap((tilesDown) =>
    across.rows.flatMap((tilesAcross) => kronecker(tilesDown, tilesAcross)),
  );

/** One axis as a matrix: rows by frequency, then tile. */
export const oneAxis = ({ rows }: AxisMatrix): Matrix => rows.flat();

/** a ⊗ b: of the kernels of both axes, rows by frequency pair, columns by tap. */
export const kronecker = (a: Matrix, b: Matrix): number[][] =>
  a.flatMap((left) => b.map((right) => left.flatMap((x) => right.map((y) => x * y))));
