import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bell, causeOf, type Planted, smoothly, told } from '../../testdata/told.ts';

const size = 24;
const runs = { numRuns: 40 };

const gradient = (name: string, truth: ArrayLike<number>, ours?: ArrayLike<number>): Planted => ({
  name,
  shape: [4, 6],
  kind: 'weight gradient',
  truth,
  ...(ours && { ours }),
});

const cut = (values: ArrayLike<number>, low: number, high: number) =>
  Float64Array.from(values, (x) => Math.min(high, Math.max(low, x)));

const normOf = (...all: ArrayLike<number>[]) =>
  Math.sqrt(all.reduce((sum, values) => Array.from(values).reduce((s, x) => s + x * x, sum), 0));

const times = (values: ArrayLike<number>, by: number) => Float64Array.from(values, (x) => x * by);

describe('a gradient', () => {
  it('clipped by value, on both sides or one, here or in the reference', () => {
    fc.assert(
      fc.property(bell(size), bell(size), (a, b) => {
        // Both have some far out.
        const g = Float64Array.from(a, (x, i) => (i < 6 ? (i % 2 ? -2 : 2) * (1 + b[i] ** 2) : x));
        expect(causeOf([gradient('w.grad', g, cut(g, -1, 1))])).toMatch(/^clipped at ±1: /);
        expect(causeOf([gradient('w.grad', g, cut(g, -Infinity, 1))])).toMatch(
          /^clipped at 1 from above: /,
        );
        expect(causeOf([gradient('w.grad', cut(g, -1, 1), g)])).toMatch(/^not clipped: /);
      }),
      runs,
    );
  });

  it('clipped to a norm: of all together, or by itself', () => {
    fc.assert(
      fc.property(bell(size), bell(size), (a, b) => {
        const norm = normOf(a, b);
        const clipped = [a, b].map((g) => times(g, 0.5 / norm));
        const all = [gradient('a.grad', a, clipped[0]), gradient('b.grad', b, clipped[1])];
        for (const { cause } of told(all)) {
          expect(cause?.says).toMatch(/^gradients are clipped to a norm of 0\.5 of all parameters/);
          expect(cause?.explains).toBe(2);
        }
        const turned = [gradient('a.grad', clipped[0], a), gradient('b.grad', clipped[1], b)];
        expect(told(turned)[0].cause?.says).toMatch(/^gradients are not clipped: .* norm of 0\.5/);
        const alone = [a, b].map((g, k) => gradient(`${k}.grad`, g, times(g, 0.5 / normOf(g))));
        expect(told(alone)[0].cause?.says).toMatch(/norm of 0\.5 of each parameter/);
      }),
      runs,
    );
  });

  it('that is off smoothly is not clipped', () => {
    fc.assert(
      fc.property(bell(size), fc.constantFrom(1e-4, 1e-2, 0.3), (g, off) => {
        expect(causeOf([gradient('w.grad', g, smoothly(g, off, g[0]))]) ?? '').not.toMatch(/clip/);
      }),
      runs,
    );
  });
});
