import fc from 'fast-check';
import { runGraph } from '../../../../../test/support/runGraph.ts';
import { input, pair } from '../../../../ir/build.ts';
import type { Node } from '../../../../ir/node.ts';
import { type Shape, sizeOf } from '../../../../tensor/shape.ts';
import { tensor } from '../../../../tensor/tensor.ts';
import { bell } from '../../../testdata/told.ts';

/** Computed by the oracle, in float64, from inputs of these names. */
export function computed(
  given: Readonly<Record<string, readonly [Shape, ArrayLike<number>]>>,
  graph: (nodes: Readonly<Record<string, Node>>) => Node,
): Float64Array {
  const nodes = Object.fromEntries(
    Object.entries(given).map(([name, [shape]]) => [name, input(name, shape)]),
  );
  const feeds = new Map(
    Object.entries(given).map(([name, [shape, data]]) => [
      name,
      tensor('float32', shape, Float32Array.from(data)),
    ]),
  );
  return Float64Array.from(runGraph({ out: graph(nodes) }, feeds).out.data as Float64Array);
}

export const runs = { numRuns: 8 };
export const [n, c, side] = [2, 4, 6];
export const maps = [n, c, side, side];
export const kernels = [c, c, 3, 3];
export const moves = { stride: pair(1), padding: pair(1) };
export const convolution = fc.tuple(bell(sizeOf(maps)), bell(sizeOf(kernels)), bell(sizeOf(maps)));
