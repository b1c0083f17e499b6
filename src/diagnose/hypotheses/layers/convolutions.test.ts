import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  pair,
  reshape,
  transpose,
} from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { bell, causeOf, smoothly } from '../../testdata/told.ts';
import {
  c,
  computed,
  convolution,
  kernels,
  maps,
  moves,
  runs,
  side,
} from './testdata/smallMaps.ts';

const what = 'Conv2d(4, 4, kernel_size=3, padding=1, bias=False)';

const flipped = (w: Float32Array): Float32Array =>
  w.map((_, i) => w[Math.floor(i / 9) * 9 + 8 - (i % 9)]);

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
