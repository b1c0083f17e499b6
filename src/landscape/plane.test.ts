import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linearLayer } from '../nn/layers.ts';
import { sequential } from '../nn/module.ts';
import {
  type PlacedWeights,
  placesOnLine,
  placesOnPlane,
  placesOnRays,
  planeAxes,
} from './places.ts';
import { planeThrough, type Three } from './plane.ts';
import {
  combination,
  distance,
  lengthOf,
  vectorFrom,
  vectorSize,
  type WeightVector,
} from './weightVector.ts';

const model = sequential([
  linearLayer('a', { from: 3, to: 4 }),
  linearLayer('b', { from: 4, to: 2 }),
]);
const size = vectorSize(model);

const vector = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: size, maxLength: size })
  .map((values) => vectorFrom(model, Float32Array.from(values)));

const names: Three<string> = ['A', 'B', 'C'];

/** What float32 rounding of every weight can move a point of these lengths. */
const rounding = 1e-6;

/** Three points of which none is nearly on the others' line. */
const triples = fc.tuple(vector, vector, vector).filter(([a, b, c]) => {
  const [ab, ac, bc] = [distance(a, b), distance(a, c), distance(b, c)];
  const half = (ab + ac + bc) / 2;
  const area = Math.sqrt(Math.max(0, half * (half - ab) * (half - ac) * (half - bc)));
  return area > 0.05 && ab > 0.1;
});

const at = (three: Three<WeightVector>, shares: Three<number>): WeightVector =>
  combination(three.map((w, k) => [shares[k], w]));

describe('the plane through three points', () => {
  test('gives each of them at its own coordinates', () => {
    fc.assert(
      fc.property(triples, (three) => {
        const { corners, shares } = planeThrough(three, names);
        for (const [k, [x, y]] of corners.entries()) {
          expect(distance(at(three, shares(x, y)), three[k])).toBeLessThan(rounding);
        }
      }),
    );
  });

  test('has the origin in the first, the second on the x axis, the third above it', () => {
    fc.assert(
      fc.property(triples, (three) => {
        const [first, second, third] = planeThrough(three, names).corners;
        expect(first).toEqual([0, 0]);
        expect(second[1]).toBe(0);
        expect(second[0]).toBeGreaterThan(0);
        expect(third[1]).toBeGreaterThan(0);
      }),
    );
  });

  test('preserves distances', () => {
    const place = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(triples, fc.tuple(place, place), fc.tuple(place, place), (three, p, q) => {
        const { shares } = planeThrough(three, names);
        const apart = distance(at(three, shares(...p)), at(three, shares(...q)));
        expect(Math.abs(apart - Math.hypot(p[0] - q[0], p[1] - q[1]))).toBeLessThan(2e-6);
      }),
    );
  });

  test('is none where they lie on a line', () => {
    fc.assert(
      fc.property(vector, vector, fc.double({ min: -2, max: 3, noNaN: true }), (a, b, t) => {
        fc.pre(distance(a, b) > 0.1);
        const c = combination([
          [1 - t, a],
          [t, b],
        ]);
        expect(() => planeThrough([a, b, c], names)).toThrow('the three points are on one line');
      }),
    );
  });

  test.each([
    [[0, 0, 1], 'A and B'],
    [[0, 1, 0], 'A and C'],
    [[1, 0, 0], 'B and C'],
  ])('names two that are the same (%j)', (which, same) => {
    const vectors = [1, 2].map((x) =>
      vectorFrom(
        model,
        Float32Array.from({ length: size }, (_, i) => Math.sin(x * i)),
      ),
    );
    const three = which.map((k) => vectors[k]) as unknown as Three<WeightVector>;
    expect(() => planeThrough(three, names)).toThrow(
      `A, B, C: the three points are on one line: ${same} are the same weights; name three`,
    );
  });
});

const shaped = ({ solution, at: place }: PlacedWeights) => [solution, ...Object.values(place)];

const [one, two, three] = [1, 2, 3].map((x) =>
  vectorFrom(
    model,
    Float32Array.from({ length: size }, (_, i) => Math.sin(x * (i + 1))),
  ),
);

describe('places', () => {
  test('on a line: the two themselves, and evenly beyond both', () => {
    const apart = distance(one, two);
    const places = placesOnLine([one, two], apart, { margin: 0.5, count: 5 });
    expect(places.map(shaped)).toEqual([
      [0, apart],
      [1, 0],
      ...[-0.5, 0.5, 1.5].map((t) => [undefined, t * apart]),
    ]);
    for (const { at: place, weights } of places) {
      expect(distance(weights(), two)).toBeCloseTo(Math.abs(place.distance), 5);
    }
    expect(places[0].weights()).toBe(one);
  });

  test('on a plane: the three to the bit, then rows from the least y, with a margin around', () => {
    const plane = planeThrough([one, two, three], names);
    const axes = planeAxes(plane, { margin: 0.25, count: 4 });
    const places = placesOnPlane([one, two, three], plane, axes);
    expect(places).toHaveLength(3 + 16);
    expect(places.slice(0, 3).map(({ weights }) => weights())).toEqual([one, two, three]);
    const grid = places.slice(3).map(({ at: { x, y } }) => [x, y]);
    expect(grid).toEqual(axes.ys.flatMap((y) => axes.xs.map((x) => [x, y])));
    const spans = ([first, , , last]: readonly number[]): number => last - first;
    const [xs, ys] = [0, 1].map((k) => plane.corners.map((corner) => corner[k]));
    const span = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
    const wide = 0.5 * Math.max(span(xs), span(ys));
    expect(spans(axes.xs)).toBeCloseTo(span(xs) + wide, 9);
    expect(spans(axes.ys)).toBeCloseTo(span(ys) + wide, 9);
  });

  test('on rays: the same directions from each, at the distances they say', () => {
    const places = placesOnRays(model, [one, two], { rays: 3, seed: 7, reach: 5, count: 3 });
    expect(places).toHaveLength(2 + 3 * 2 * 2);
    const origin = [one, two];
    const steps = places.slice(2).map(({ at: { from, distance: far, ray }, weights }) => {
      const step = combination([
        [1, weights()],
        [-1, origin[from - 1]],
      ]);
      expect(lengthOf([[1, step]])).toBeCloseTo(far, 4);
      return { ray, from, unit: combination([[1 / far, step]]) };
    });
    for (const { ray, unit } of steps) {
      for (const other of steps.filter((step) => step.ray === ray)) {
        expect(distance(unit, other.unit)).toBeLessThan(1e-5);
      }
      const foreign = steps.find((step) => step.ray !== ray)!;
      expect(distance(unit, foreign.unit)).toBeGreaterThan(0.1);
    }
  });
});
