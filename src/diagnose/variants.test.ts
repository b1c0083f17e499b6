import { expect, it } from 'vitest';
import { numbersOf } from './numbers.ts';
import { evidenceOf, heldOf, numbersFrom, suspectOf, verdictsOn } from './testdata/suspects.ts';
import { variantFits } from './variants.ts';

const size = 40;
const truth = numbersFrom(3, size);
const doubled = truth.map((x) => 2 * x);
const held = heldOf('fc.output', [5, 8], truth);
const twice = { key: 'twice', says: 'twice', value: (at: number) => doubled[at] };
const right = (at: number): number => truth[at];

const fits = (ours: Float64Array, computed: (at: number) => number) =>
  variantFits(numbersOf(suspectOf(held, ours))!, computed, [twice]).map(({ says }) => says);

it('a variant that gives our numbers is told', () => {
  expect(fits(doubled, right)).toEqual(['twice']);
});

it('none is where the computation is not that of the reference', () => {
  expect(fits(doubled, (at) => truth[at] + 5)).toEqual([]);
});

it('none is where ours is right for what it was given', () => {
  // The input was off by 3 %: the layer computed rightly what it was given, and a variant is nearly that.
  const off = truth.map((x) => 1.03 * x);
  const near = { key: 'near', says: 'near', value: (at: number) => off[at] * (1 + 1e-9) };
  const numbers = numbersOf(suspectOf(held, off))!;
  expect(variantFits(numbers, (at) => off[at], [near])).toEqual([]);
});

it('what computes a tensor anew is told before a factor that explains more of what failed', () => {
  // A norm with another epsilon, whose error all later layers inherit as one factor.
  const x = numbersFrom(9, 512);
  const sigma = (eps: number): number =>
    Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 512 + eps);
  const mean = x.reduce((sum, v) => sum + v, 0) / 512;
  const normed = (eps: number): Float64Array => x.map((v) => (v - mean) / sigma(eps));
  const shape = [32, 1, 4, 4];
  const input = heldOf('a.output', shape, x, { kind: 'output' });
  const what = 'BatchNorm2d(1, eps=1e-05, momentum=0.1)';
  const norm = heldOf('bn.output', shape, normed(1e-5), { kind: 'output', what });
  const later = [4, 5, 6].map((seed) =>
    heldOf(`later${seed}.output`, [5, 8], numbersFrom(seed, size), { kind: 'output' }),
  );
  const by = sigma(1e-5) / sigma(1e-2);
  const suspects = [
    suspectOf(norm, normed(1e-2)),
    ...later.map((of, k) =>
      suspectOf(
        of,
        numbersFrom(4 + k, size).map((v) => v * by),
      ),
    ),
  ];
  const evidence = evidenceOf([input, norm, ...later], {
    from: (name) => (name === 'bn.output' ? ['a.output'] : []),
  });
  expect(verdictsOn(suspects, evidence).get('bn.output')!.cause?.says).toBe(
    'fits epsilon 0.01, the reference used 1.0e-5',
  );
});
