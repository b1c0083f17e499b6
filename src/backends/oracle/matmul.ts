import type { Kernel } from './kernel.ts';
import { floats, type Value } from './value.ts';

/** Row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export function transposed({ rows, columns, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let r = 0, k = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = data[k++];
  }
  return { rows: columns, columns: rows, data: out };
}

/**
 * C[m, n] = Σₖ A[m, k] · B[k, n], whole rows of B at a time.
 * Nearly all of the oracle's time goes by here. Four k at once halve it, and two rows of C at once, which share what
 * is read of B, take a third of the rest. Each element is summed in the same order all the same.
 */
export function product(a: Matrix, b: Matrix): Matrix {
  const c = new Float64Array(a.rows * b.columns);
  let m = 0;
  for (; m + 1 < a.rows; m += 2) twoRows(c, a, b, m);
  if (m < a.rows) lastRow(c, a, b, m);
  return { rows: a.rows, columns: b.columns, data: c };
}

/** Rows m and m + 1 of C. */
function twoRows(
  c: Float64Array,
  { columns: depth, data: a }: Matrix,
  { columns, data: b }: Matrix,
  m: number,
): void {
  const [row, next] = [m * columns, (m + 1) * columns];
  let k = 0;
  for (; k + 3 < depth; k += 4) {
    const i = m * depth + k;
    const j = i + depth;
    const [a0, a1, a2, a3] = [a[i], a[i + 1], a[i + 2], a[i + 3]];
    const [d0, d1, d2, d3] = [a[j], a[j + 1], a[j + 2], a[j + 3]];
    const k0 = k * columns;
    const k1 = k0 + columns;
    const k2 = k1 + columns;
    const k3 = k2 + columns;
    for (let n = 0; n < columns; n++) {
      const b0 = b[k0 + n];
      const b1 = b[k1 + n];
      const b2 = b[k2 + n];
      const b3 = b[k3 + n];
      c[row + n] += a0 * b0 + a1 * b1 + a2 * b2 + a3 * b3;
      c[next + n] += d0 * b0 + d1 * b1 + d2 * b2 + d3 * b3;
    }
  }
  for (; k < depth; k++) {
    const [factor, below] = [a[m * depth + k], a[(m + 1) * depth + k]];
    for (let n = 0; n < columns; n++) {
      c[row + n] += factor * b[k * columns + n];
      c[next + n] += below * b[k * columns + n];
    }
  }
}

/** Row m of C, where there is no next. */
function lastRow(
  c: Float64Array,
  { columns: depth, data: a }: Matrix,
  { columns, data: b }: Matrix,
  m: number,
): void {
  for (let k = 0; k < depth; k++) {
    const factor = a[m * depth + k];
    for (let n = 0; n < columns; n++) c[m * columns + n] += factor * b[k * columns + n];
  }
}

export const matmul: Kernel<'matmul'> = ({ transposeA, transposeB }, [x, y]) => {
  const operand = ({ shape, data }: Value, transpose: boolean): Matrix => {
    const matrix = { rows: shape[0], columns: shape[1], data };
    return transpose ? transposed(matrix) : matrix;
  };
  const { rows, columns, data } = product(operand(x, transposeA), operand(y, transposeB));
  return floats([rows, columns], data);
};
