import type { Node } from '../../../ir/node.ts';
import type { Pair, Window } from '../../../ir/op.ts';
import type { Shape } from '../../../tensor/shape.ts';
import type { OnnxGraph, Value } from '../onnx/onnxGraph.ts';

/** Below every float, but no infinity: WGSL may take those for absent. */
const lowest = -3.4028234663852886e38;

/** `x` [n, c, h, w] padded by `begin` and `end` on height and width; negative numbers cut off. */
const padded = (g: OnnxGraph, x: Value, begin: Pair, end: Pair, value?: number): Value =>
  [...begin, ...end].every((p) => p === 0)
    ? x
    : g.emit('Pad', [
        x,
        g.ints([0, 0, ...begin, 0, 0, ...end]),
        ...(value === undefined ? [] : [g.floats(value)]),
      ]);

/**
 * The share of dy [n, c, h', w'] that each tap of the window wins, row by row. A tap wins where it holds the
 * maximum and no earlier one did.
 */
function sharesByTap(
  g: OnnxGraph,
  { kernel, stride, padding }: Window,
  [x, y, dy]: readonly [Value, Value, Value],
  size: Pair,
): Value[][] {
  const all = padded(g, x, padding, padding, lowest);
  const zero = g.floats(0);
  let rest = dy;
  return Array.from({ length: kernel[0] }, (_, r) =>
    Array.from({ length: kernel[1] }, (_, s) => {
      const end = [r + stride[0] * (size[0] - 1) + 1, s + stride[1] * (size[1] - 1) + 1];
      const seen = g.emit('Slice', [
        all,
        g.ints([r, s]),
        g.ints(end),
        g.ints([2, 3]),
        g.ints(stride),
      ]);
      const wins = g.emit('Equal', [seen, y]);
      const share = g.emit('Where', [wins, rest, zero]);
      rest = g.emit('Where', [wins, zero, rest]);
      return share;
    }),
  );
}

/** A tap's places [n, c, h', w'] as blocks [n, c, h', 1, w', 1]. */
const asBlocks = (g: OnnxGraph, x: Value): Value => g.emit('Unsqueeze', [x, g.ints([3, 5])]);

/** Blocks [n, c, h', kh, w', kw], filled up with zeros to one stride each, as a map [n, c, h'·sh, w'·sw]. */
function unblocked(
  g: OnnxGraph,
  blocks: Value,
  have: Pair,
  { stride }: Window,
  [n, c, h, w]: Shape,
): Value {
  const missing = stride.map((s, i) => s - have[i]);
  const whole = missing.every((m) => m === 0)
    ? blocks
    : g.emit('Pad', [blocks, g.ints([0, 0, 0, 0, 0, 0, 0, 0, 0, missing[0], 0, missing[1]])]);
  return g.emit('Reshape', [whole, g.ints([n, c, h * stride[0], w * stride[1]])]);
}

/**
 * The provider's MaxPool gives no indices. Each tap of the window, seen as a strided slice of x, is compared
 * with the maximum; what it wins goes back to its places. Windows that do not overlap are put side by
 * side, others are added up tap by tap.
 */
export function maxPool2dGrad(
  g: OnnxGraph,
  node: Node<'maxPool2dGrad'>,
  [x, dy]: readonly Value[],
): Value {
  const { params, inputs, shape } = node;
  const { kernel, stride, padding } = params;
  const from = inputs[1].shape;
  const y = g.emit('MaxPool', [x], {
    kernel_shape: kernel,
    strides: stride,
    pads: [...padding, ...padding],
  });
  const shares = sharesByTap(g, params, [x, y, dy], [from[2], from[3]]);
  const placed = (map: Value, tap: Pair): Value => {
    const begin: Pair = [tap[0] - padding[0], tap[1] - padding[1]];
    const end: Pair = [
      shape[2] - begin[0] - from[2] * stride[0],
      shape[3] - begin[1] - from[3] * stride[1],
    ];
    return padded(g, map, begin, end);
  };
  if (kernel.every((k, axis) => k <= stride[axis])) {
    const rows = shares.map((row) =>
      g.emit(
        'Concat',
        row.map((share) => asBlocks(g, share)),
        { axis: 5 },
      ),
    );
    const blocks = g.emit('Concat', rows, { axis: 3 });
    return placed(unblocked(g, blocks, kernel, params, from), [0, 0]);
  }
  const maps = shares.flatMap((row, r) =>
    row.map((share, s) => placed(unblocked(g, asBlocks(g, share), [1, 1], params, from), [r, s])),
  );
  return maps.reduce((sum, map) => g.emit('Add', [sum, map]));
}
