/** Up to so many rows or columns the best assignment is found; of more, the best pair is taken again and again. */
const mostForBest = 400;

type Scores = readonly Float64Array[];

/** Shortest augmenting paths: each row gets a column of its own, the sum of scores the largest. No more rows than columns. */
function best(scores: Scores, columns: number): number[] {
  const rows = scores.length;
  const [u, v] = [new Float64Array(rows + 1), new Float64Array(columns + 1)];
  const rowOf = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    const least = new Float64Array(columns + 1).fill(Infinity);
    const before = new Int32Array(columns + 1);
    const used = new Uint8Array(columns + 1);
    let at = 0;
    rowOf[0] = row;
    while (rowOf[at] !== 0) {
      used[at] = 1;
      const own = rowOf[at];
      let [next, delta] = [0, Infinity];
      for (let j = 1; j <= columns; j++) {
        if (used[j] === 1) continue;
        const cost = -scores[own - 1][j - 1] - u[own] - v[j];
        if (cost < least[j]) {
          least[j] = cost;
          before[j] = at;
        }
        if (least[j] < delta) [next, delta] = [j, least[j]];
      }
      for (let j = 0; j <= columns; j++) {
        if (used[j] === 1) {
          u[rowOf[j]] += delta;
          v[j] -= delta;
        } else least[j] -= delta;
      }
      at = next;
    }
    for (let j = at; j !== 0; j = before[j]) rowOf[j] = rowOf[before[j]];
  }
  const found = new Array<number>(rows).fill(-1);
  for (let j = 1; j <= columns; j++) if (rowOf[j] > 0) found[rowOf[j] - 1] = j - 1;
  return found;
}

function greedy(scores: Scores, columns: number): number[] {
  const cells = scores.flatMap((row, i) =>
    [...row.keys()].filter((j) => row[j] > impossible).map((j) => ({ i, j, score: row[j] })),
  );
  cells.sort((a, b) => b.score - a.score);
  const found = new Array<number>(scores.length).fill(-1);
  const taken = new Uint8Array(columns);
  for (const { i, j } of cells) {
    if (found[i] >= 0 || taken[j] === 1) continue;
    found[i] = j;
    taken[j] = 1;
  }
  return found;
}

/** The score of two that must not be paired: no number of good pairs outweighs it. */
export const impossible = -1e6;

/**
 * Pairs rows with columns, each used once, so that the sum of `score` is the largest: as many pairs as there can be.
 * The row and column of each pair.
 */
export function assign(
  rows: number,
  columns: number,
  score: (row: number, column: number) => number,
): [number, number][] {
  const turned = rows > columns;
  const [short, wide] = turned ? [columns, rows] : [rows, columns];
  const scores = Array.from({ length: short }, (_, i) =>
    Float64Array.from({ length: wide }, (_, j) => (turned ? score(j, i) : score(i, j))),
  );
  const found = short <= mostForBest ? best(scores, wide) : greedy(scores, wide);
  return found.flatMap((j, i): [number, number][] => {
    if (j < 0 || scores[i][j] <= impossible) return [];
    return [turned ? [j, i] : [i, j]];
  });
}
