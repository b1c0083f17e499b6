import { matmul, reshape } from '../../src/ir/build.ts';
import type { Node } from '../../src/ir/node.ts';
import type { Site } from './rewriteProgram.ts';

/**
 * Images or kernels [a, b, h, w] with their places rearranged: the result is [a, b, ...size], and at (row,
 * column) holds what was at `from(row, column)`, or 0 where that is undefined. The IR cannot mirror or pad, so
 * the rearrangement is a matrix.
 */
export function rearranged(
  x: Node,
  { given }: Site,
  size: readonly [number, number],
  from: (row: number, column: number) => readonly [number, number] | undefined,
): Node {
  const [a, b, height, width] = x.shape;
  const [rows, columns] = size;
  const matrix = new Float32Array(height * width * rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const source = from(row, column);
      if (source === undefined) continue;
      const [y, z] = source;
      if (y < 0 || y >= height || z < 0 || z >= width) continue;
      matrix[(y * width + z) * rows * columns + row * columns + column] = 1;
    }
  }
  const flat = reshape(x, [a * b, height * width]);
  const moved = matmul(flat, given(matrix, [height * width, rows * columns]));
  return reshape(moved, [a, b, rows, columns]);
}

/** Mirrored in both directions. */
export const turned = (x: Node, site: Site): Node => {
  const [, , height, width] = x.shape;
  return rearranged(x, site, [height, width], (row, column) => [
    height - 1 - row,
    width - 1 - column,
  ]);
};
