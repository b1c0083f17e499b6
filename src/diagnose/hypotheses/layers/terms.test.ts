import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bell, causeOf, smoothly } from '../../testdata/told.ts';

const shape = [4, 3, 2, 2];
const size = 48;
const runs = { numRuns: 25 };

const channel = (i: number): number => Math.floor(i / 4) % 3;

/** A sum of a branch and a shortcut, and what else the pass holds of the shape. */
const sum = (branch: Float32Array, shortcut: Float32Array, ours: ArrayLike<number>) => [
  { name: 'block.input', shape, kind: 'output', truth: shortcut } as const,
  { name: 'block.conv.output', shape, kind: 'output', truth: branch } as const,
  {
    name: 'block.add.output',
    shape,
    kind: 'output',
    truth: Float64Array.from(branch, (x, i) => x + shortcut[i]),
    ours,
    from: ['block.conv.output', 'block.input'],
  } as const,
];

describe('a term that is missing or there twice', () => {
  it.each([
    [-1, 'its bias is missing'],
    [1, 'its bias is added twice'],
  ])('a bias %d times too often', (times, says) => {
    fc.assert(
      fc.property(bell(size), bell(3), (truth, bias) => {
        const planted = [
          { name: 'initial/conv.bias', shape: [3], kind: 'weight', truth: bias } as const,
          {
            name: 'conv.output',
            shape,
            kind: 'output',
            truth,
            ours: Float64Array.from(truth, (x, i) => x + times * bias[channel(i)]),
            from: ['initial/conv.bias'],
          } as const,
        ];
        expect(causeOf(planted)).toBe(says);
      }),
      runs,
    );
  });

  it.each([
    [2, 'is added twice'],
    [0.25, 'counts 0.25 times, not once'],
    [-0.731, 'counts -0.731 times, not once'],
  ])('a shortcut that counts %d times', (times, says) => {
    fc.assert(
      fc.property(bell(size), bell(size), (branch, shortcut) => {
        const ours = Float64Array.from(branch, (x, i) => x + times * shortcut[i]);
        expect(causeOf(sum(branch, shortcut, ours))).toBe(`the term block.input ${says}`);
      }),
      runs,
    );
  });

  it('a gradient that does not come back by a shortcut', () => {
    fc.assert(
      fc.property(bell(size), bell(size), (branch, shortcut) => {
        const planted = [
          { name: 'add.output.grad', shape, kind: 'output gradient', truth: shortcut } as const,
          {
            name: 'act.output.grad',
            shape,
            kind: 'output gradient',
            truth: Float64Array.from(branch, (x, i) => x + shortcut[i]),
            ours: branch,
            from: ['conv.output.grad', 'add.output.grad'],
          } as const,
        ];
        expect(causeOf(planted)).toMatch(/^what comes back by add\.output\.grad is missing/);
      }),
      runs,
    );
  });

  it('another tensor of the pass that is added', () => {
    fc.assert(
      fc.property(bell(size), bell(size), bell(size), (branch, shortcut, other) => {
        const ours = Float64Array.from(branch, (x, i) => x + shortcut[i] + other[i]);
        const stranger = { name: 'gate.output', shape, kind: 'output', truth: other } as const;
        expect(causeOf([...sum(branch, shortcut, ours), stranger])).toMatch(
          /^gate\.output is added/,
        );
      }),
      runs,
    );
  });

  it('is found in no smooth perturbation, and in no difference that only resembles it', () => {
    const by = fc.constantFrom(1e-5, 1e-3, 0.1);
    fc.assert(
      fc.property(
        bell(size),
        bell(size),
        by,
        fc.double({ min: 0, max: 6, noNaN: true }),
        (branch, shortcut, size, phase) => {
          const right = branch.map((x, i) => x + shortcut[i]);
          expect(causeOf(sum(branch, shortcut, smoothly(right, size, phase)))).toBeUndefined();
          const near = Float64Array.from(
            branch,
            (x, i) => x + shortcut[i] * (0.5 + 1e-4 * Math.cos(i)),
          );
          expect(causeOf(sum(branch, shortcut, near))).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });
});
