/** F(2, 3) in one dimension (Lavin & Gray 2016, section 4.1): four frequencies, three taps, two results. */
const toFrequencies = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
] as const;
const tapsToFrequencies = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
] as const;
const fromFrequencies = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
] as const;

export const frequencies = toFrequencies.length;
const results = fromFrequencies.length;

/** One axis of a transform. */
export interface AxisMatrix {
  readonly places: number;
  readonly tiles: number;
  /** [frequency][tile][place] */
  readonly rows: readonly (readonly (readonly number[])[])[];
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function axisMatrix(
  places: number,
  tiles: number,
  value: (frequency: number, tile: number, place: number) => number,
): AxisMatrix {
  const rows = range(frequencies).map((f) =>
    range(tiles).map((t) => range(places).map((p) => value(f, t, p))),
  );
  return { places, tiles, rows };
}

/** Tiles of two results that cover `size`, the last perhaps hanging over. */
const tilesOf = (size: number): number => Math.ceil(size / results);

/** An input axis of `places` under `padding` into the tiles that `outputs` results need: D. */
export const inputAxis = (places: number, outputs: number, padding: number): AxisMatrix =>
  axisMatrix(
    places,
    tilesOf(outputs),
    (f, tile, place) => toFrequencies[f][place + padding - results * tile] ?? 0,
  );

/** The transpose of what turns tiles into an output axis: Eᵀ. */
export const outputAxis = (places: number): AxisMatrix =>
  axisMatrix(
    places,
    tilesOf(places),
    (f, tile, place) => fromFrequencies[place - results * tile]?.[f] ?? 0,
  );

/** Both axes as one matrix: rows by frequency pair, then tile pair; columns by place. */
export const bothAxes = (down: AxisMatrix, across: AxisMatrix): number[][] =>
  down.rows.flatMap((tilesDown) =>
    across.rows.flatMap((tilesAcross) =>
      tilesDown.flatMap((d) => tilesAcross.map((a) => d.flatMap((x) => a.map((y) => x * y)))),
    ),
  );

/** One axis as a matrix: rows by frequency, then tile. */
export const oneAxis = ({ rows }: AxisMatrix): (readonly number[])[] => rows.flat();

/** 3×3 kernels into frequency pairs: G, [16, 9]. */
export const kernelMatrix: readonly (readonly number[])[] = tapsToFrequencies.flatMap((down) =>
  tapsToFrequencies.map((across) => down.flatMap((x) => across.map((y) => x * y))),
);
