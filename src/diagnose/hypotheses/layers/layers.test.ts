import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, matmul, relu, reshape, transpose } from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { bell, causeOf } from '../../testdata/told.ts';
import { c, computed, convolution, maps, n, runs, side } from './testdata/smallMaps.ts';

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
