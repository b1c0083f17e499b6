import { expect, it } from 'vitest';
import { withinStep } from '../../stepName.ts';
import { causeOf, evidenceOf, heldOf, numbersFrom, suspectOf } from '../../testdata/suspects.ts';

const values = (seed: number): Float64Array => numbersFrom(seed, 40);
const held = [
  heldOf('initial/fc.weight', [5, 8], values(1)),
  heldOf('fc.weight', [5, 8], values(2)),
  heldOf('step1/fc.weight', [5, 8], values(3)),
  heldOf('other.weight', [5, 8], values(4)),
  heldOf('bn.bias', [4], new Float64Array(4)),
];
const named = (name: string) => held.find((h) => h.name === name)!;
const said = (name: string, ours: Float64Array) =>
  causeOf(suspectOf(named(name), ours), evidenceOf(held));

it('a value of the step before, of the start, of another tensor', () => {
  expect(said('step1/fc.weight', values(2))).toBe('equals its own value of the first step');
  expect(said('fc.weight', values(1))).toBe(
    'equals its value before the first step: it was not updated',
  );
  expect(said('fc.weight', values(4))).toBe("equals the reference's other.weight");
});

it('zeros are told as zeros', () => {
  expect(said('fc.weight', new Float64Array(40))).toBe('is zero everywhere: nothing reached it');
});

it('a constant is no other tensor', () => {
  const constant = heldOf('bn.weight', [4], Float64Array.of(1, 2, 3, 4));
  const evidence = evidenceOf([...held, heldOf('ones', [4], new Float64Array(4).fill(1))]);
  expect(causeOf(suspectOf(constant, new Float64Array(4).fill(1)), evidence)).toBeUndefined();
});

it('a constant may be what it was before the first step', () => {
  const ones = new Float64Array(8).fill(1);
  const after = heldOf('bn.running_var', [8], numbersFrom(9, 8));
  const evidence = evidenceOf([after, heldOf('initial/bn.running_var', [8], ones)]);
  expect(causeOf(suspectOf(after, ones), evidence)).toBe(
    'equals its value before the first step: it was not updated',
  );
});

it.each([
  ['fc.weight', '', 'fc.weight'],
  ['step2/fc.weight', 'step2', 'fc.weight'],
  ['after iter0/fc.weight', 'after iter0', 'fc.weight'],
  ['initial/a/b', 'initial', 'a/b'],
])('%s lies in step "%s"', (name, when, bare) => {
  expect(withinStep(name)).toEqual({ when, bare });
});
