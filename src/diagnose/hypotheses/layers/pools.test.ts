import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avgPool2d, maxPool2d, mul, pair } from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { bell, causeOf } from '../../testdata/told.ts';
import { c, computed, maps, n, runs, side } from './testdata/smallMaps.ts';

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
