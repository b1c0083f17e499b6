import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runGraph } from '../../../../test/support/runGraph.ts';
import {
  add,
  avgPool2d,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  input,
  matmul,
  maxPool2d,
  mul,
  pair,
  relu,
  reshape,
  transpose,
} from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import { type Shape, sizeOf } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import { bell, causeOf, smoothly } from '../../testdata/told.ts';

/** Computed by the oracle, in float64, from inputs of these names. */
function computed(
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

const runs = { numRuns: 8 };
const [n, c, side] = [2, 4, 6];
const maps = [n, c, side, side];
const kernels = [c, c, 3, 3];
const moves = { stride: pair(1), padding: pair(1) };
const what = 'Conv2d(4, 4, kernel_size=3, padding=1, bias=False)';

const flipped = (w: Float32Array): Float32Array =>
  w.map((_, i) => w[Math.floor(i / 9) * 9 + 8 - (i % 9)]);

const convolution = fc.tuple(bell(sizeOf(maps)), bell(sizeOf(kernels)), bell(sizeOf(maps)));

describe('a convolution that is not the reference’s', () => {
  const layer = (x: Float32Array, w: Float32Array, ours: Float64Array, more: Float32Array = x) => [
    { name: 'a.output', shape: maps, kind: 'output', truth: x } as const,
    { name: 'z.output', shape: maps, kind: 'output', truth: more } as const,
    { name: 'initial/b.weight', shape: kernels, kind: 'weight', truth: w } as const,
    {
      name: 'b.output',
      shape: maps,
      kind: 'output',
      truth: computed({ x: [maps, x], w: [kernels, w] }, (g) => conv2d(g.x, g.w, moves)),
      ours,
      from: ['a.output', 'initial/b.weight'],
      what,
    } as const,
  ];

  it.each<[string, (g: Readonly<Record<string, Node>>) => Node]>([
    ['its weight is transposed', (g) => conv2d(g.x, transpose(g.w, [1, 0, 2, 3]), moves)],
    ['order OIWH', (g) => conv2d(g.x, transpose(g.w, [0, 1, 3, 2]), moves)],
    ['order HWIO', (g) => conv2d(g.x, transpose(reshape(g.w, [3, 3, c, c]), [3, 2, 0, 1]), moves)],
    ['turned by 180°', (g) => conv2d(g.x, g.turned, moves)],
    ['computed from z.output, not from a.output', (g) => conv2d(g.z, g.w, moves)],
  ])('%s', (says, graph) => {
    fc.assert(
      fc.property(convolution, ([x, w, z]) => {
        const given = {
          x: [maps, x],
          w: [kernels, w],
          z: [maps, z],
          turned: [kernels, flipped(w)],
        };
        const ours = computed(given as never, graph);
        expect(causeOf(layer(x, w, ours, z))).toContain(says);
      }),
      runs,
    );
  });

  it('is padded on one side only', () => {
    fc.assert(
      fc.property(convolution, ([x, w]) => {
        const wide = computed({ x: [maps, x], w: [kernels, w] }, (g) =>
          conv2d(g.x, g.w, { ...moves, padding: pair(2) }),
        );
        // Of twice the padding the results that begin at the first place.
        const at = (i: number): number => {
          const [row, column] = [Math.floor(i / side) % side, i % side];
          return (Math.floor(i / side ** 2) * (side + 2) + row + 2) * (side + 2) + column + 2;
        };
        const ours = Float64Array.from({ length: sizeOf(maps) }, (_, i) => wide[at(i)]);
        expect(causeOf(layer(x, w, ours))).toContain('padded one more below and right');
      }),
      runs,
    );
  });

  it('is not told where it is off smoothly', () => {
    fc.assert(
      fc.property(convolution, ([x, w]) => {
        const truth = layer(x, w, new Float64Array())[3].truth;
        expect(causeOf(layer(x, w, smoothly(truth, 1e-3, 0.5)))).toBeUndefined();
      }),
      runs,
    );
  });

  const back = (g: Float32Array, w: Float32Array, ours: Float64Array) => [
    { name: 'initial/b.weight', shape: kernels, kind: 'weight', truth: w } as const,
    { name: 'b.output.grad', shape: maps, kind: 'output gradient', truth: g } as const,
    {
      name: 'a.output.grad',
      shape: maps,
      kind: 'output gradient',
      truth: computed({ g: [maps, g], w: [kernels, w] }, (nodes) =>
        conv2dInputGrad(nodes.g, nodes.w, { ...moves, inputSize: pair(side) }),
      ),
      ours,
      from: ['b.output.grad', 'initial/b.weight'],
      what,
    } as const,
  ];

  it('is told on the way back', () => {
    fc.assert(
      fc.property(convolution, ([g, w]) => {
        const ours = computed({ g: [maps, g], w: [kernels, flipped(w)] }, (nodes) =>
          conv2dInputGrad(nodes.g, nodes.w, { ...moves, inputSize: pair(side) }),
        );
        expect(causeOf(back(g, w, ours))).toBe('its weight is turned by 180° on the way back');
      }),
      runs,
    );
  });

  it('takes another input for its weight’s gradient', () => {
    fc.assert(
      fc.property(convolution, fc.tuple(bell(sizeOf(maps))), ([x, , z], [g]) => {
        const gradient = (of: Float32Array) =>
          computed({ x: [maps, of], g: [maps, g] }, (nodes) =>
            conv2dWeightGrad(nodes.x, nodes.g, { ...moves, kernel: pair(3) }),
          );
        const planted = [
          { name: 'a.output', shape: maps, kind: 'output', truth: x } as const,
          { name: 'z.output', shape: maps, kind: 'output', truth: z } as const,
          { name: 'b.output.grad', shape: maps, kind: 'output gradient', truth: g } as const,
          {
            name: 'b.weight.grad',
            shape: kernels,
            kind: 'weight gradient',
            truth: gradient(x),
            ours: gradient(z),
            from: ['a.output', 'b.output.grad'],
            what,
          } as const,
        ];
        expect(causeOf(planted)).toBe('computed from z.output, not from a.output');
      }),
      runs,
    );
  });
});

describe('a linear layer', () => {
  const features = [3, 8];
  const square = [8, 8];

  it('with its weight transposed, forwards and back', () => {
    fc.assert(
      fc.property(bell(24), bell(64), (x, w) => {
        const product = (transposeB: boolean) =>
          computed({ x: [features, x], w: [square, w] }, (g) => matmul(g.x, g.w, { transposeB }));
        const [right, wrong] = [product(true), product(false)];
        const weight = {
          name: 'initial/b.weight',
          shape: square,
          kind: 'weight',
          truth: w,
        } as const;
        const linear = 'Linear(in_features=8, out_features=8, bias=True)';
        const given = { shape: features, truth: x } as const;
        const forwards = [
          { name: 'a.output', kind: 'output', ...given } as const,
          weight,
          {
            name: 'b.output',
            shape: features,
            kind: 'output',
            truth: right,
            ours: wrong,
            from: ['a.output', 'initial/b.weight'],
            what: linear,
          } as const,
        ];
        expect(causeOf(forwards)).toBe('its weight is transposed');
        // What is sent back is the product with the weight as it lies.
        const backwards = [
          { name: 'b.output.grad', kind: 'output gradient', ...given } as const,
          weight,
          {
            name: 'a.output.grad',
            shape: features,
            kind: 'output gradient',
            truth: wrong,
            ours: right,
            from: ['b.output.grad', 'initial/b.weight'],
            what: linear,
          } as const,
        ];
        expect(causeOf(backwards)).toBe('its weight is transposed on the way back');
      }),
      runs,
    );
  });
});

describe('a pooling layer', () => {
  const pooled = [n, c, side / 2, side / 2];
  const window = { kernel: pair(2), stride: pair(2), padding: pair(0) };
  const layer = (x: Float32Array, ours: Float64Array) => [
    { name: 'a.output', shape: maps, kind: 'output', truth: x } as const,
    {
      name: 'b.output',
      shape: pooled,
      kind: 'output',
      truth: computed({ x: [maps, x] }, (g) => maxPool2d(g.x, window)),
      ours,
      from: ['a.output'],
      what: 'MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)',
    } as const,
  ];

  it.each<[string, (x: Node) => Node]>([
    ["average pooling is computed, the reference's is max pooling", (x) => avgPool2d(x, window)],
    [
      'windows of 3×3 that overlap, beginning 1 further out, the reference has 2×2',
      (x) => maxPool2d(x, { ...window, kernel: pair(3), padding: pair(1) }),
    ],
    ['the sum of each window is computed', (x) => mul(avgPool2d(x, window), 4)],
  ])('%s', (says, graph) => {
    fc.assert(
      fc.property(bell(sizeOf(maps)), (x) => {
        expect(
          causeOf(
            layer(
              x,
              computed({ x: [maps, x] }, (g) => graph(g.x)),
            ),
          ),
        ).toContain(says);
      }),
      runs,
    );
  });

  it.each([
    ['of two equal values the last takes the gradient: a tie', [0, 1, 0, 0]],
    ['equal values share the gradient: a tie', [0.5, 0.5, 0, 0]],
    ['spread over the window, as average pooling does', [0.25, 0.25, 0.25, 0.25]],
  ])('sends its gradient elsewhere: %s', (says, shares) => {
    const [wide, narrow] = [
      [1, 1, 2, 8],
      [1, 1, 1, 4],
    ];
    fc.assert(
      fc.property(bell(4), (g) => {
        // Two equal largest numbers in the upper row of every window.
        const x = Float32Array.from({ length: 16 }, (_, i) => (i < 8 ? 3 : -1));
        const sent = (by: readonly number[]) =>
          Float64Array.from({ length: 16 }, (_, i) => {
            const [row, column] = [Math.floor(i / 8), i % 8];
            return g[column >> 1] * by[row * 2 + (column % 2)];
          });
        const planted = [
          { name: 'a.output', shape: wide, kind: 'output', truth: x } as const,
          { name: 'b.output.grad', shape: narrow, kind: 'output gradient', truth: g } as const,
          {
            name: 'a.output.grad',
            shape: wide,
            kind: 'output gradient',
            truth: sent([1, 0, 0, 0]),
            ours: sent(shares),
            from: ['b.output.grad', 'a.output'],
            what: 'MaxPool2d(kernel_size=2)',
          } as const,
        ];
        expect(causeOf(planted)).toBe(says);
      }),
      runs,
    );
  });
});

describe('a sum', () => {
  it.each<[string, (g: Readonly<Record<string, Node>>) => Node]>([
    ['ReLU is applied to the term short.output', (g) => add(g.body, relu(g.short))],
    ['z.output is added in the place of short.output', (g) => add(g.body, g.z)],
  ])('%s', (says, graph) => {
    fc.assert(
      fc.property(convolution, bell(sizeOf(maps)), ([body, , short], z) => {
        const given = { body: [maps, body], short: [maps, short], z: [maps, z] } as const;
        const planted = [
          { name: 'body.output', shape: maps, kind: 'output', truth: body } as const,
          { name: 'short.output', shape: maps, kind: 'output', truth: short } as const,
          { name: 'z.output', shape: maps, kind: 'output', truth: z } as const,
          {
            name: 'sum.output',
            shape: maps,
            kind: 'output',
            truth: computed(given, (g) => add(g.body, g.short)),
            ours: computed(given, graph),
            from: ['body.output', 'short.output'],
            what: 'add',
          } as const,
        ];
        expect(causeOf(planted)).toContain(says);
      }),
      runs,
    );
  });
});

describe('maps that are flattened', () => {
  it('in the order NHWC', () => {
    const flat = [n, c * side * side];
    fc.assert(
      fc.property(bell(sizeOf(maps)), (x) => {
        const planted = [
          { name: 'a.output', shape: maps, kind: 'output', truth: x } as const,
          {
            name: 'b.output',
            shape: flat,
            kind: 'output',
            truth: x,
            ours: computed({ x: [maps, x] }, (g) => reshape(transpose(g.x, [0, 2, 3, 1]), flat)),
            from: ['a.output'],
            what: 'Flatten(start_dim=1, end_dim=-1)',
          } as const,
        ];
        expect(causeOf(planted)).toBe("flattened in the order NHWC, the reference's NCHW");
      }),
      runs,
    );
  });
});
