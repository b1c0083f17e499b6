import fc from 'fast-check';
import { expect, it } from 'vitest';
import { causeOf, evidenceOf, heldOf, numbersFrom, suspectOf } from '../../testdata/suspects.ts';

const truth = numbersFrom(7, 120);
const held = heldOf('fc.weight.grad', [10, 12], truth);
const by = (factor: number): Float64Array => truth.map((x) => x * factor);

it.each([
  [32, "32 × the reference's: summed over the batch, not averaged"],
  [1 / 32, "0.0313 × the reference's: averaged over the batch, not summed (or twice)"],
  [32 / 31, "1.03 × the reference's: divided by n − 1, not by n"],
  [-1, 'its sign is turned'],
  [255, "255 × the reference's: pixels from 0 to 255, not from 0 to 1"],
  [0.1, "0.1 × the reference's: multiplied by the learning rate"],
  [Math.sqrt(12), "3.46 × the reference's: √12 too large"],
  [1.37, "1.37 × the reference's"],
  [1.001, "1.00100 × the reference's"],
])('a factor of %f', (factor, says) => {
  const evidence = evidenceOf([], { batch: 32, optimizer: { lr: 0.1 } });
  expect(causeOf(suspectOf(held, by(factor)), evidence)).toBe(says);
});

it('dropout that scales once too often, or not', () => {
  const dropout = heldOf('drop.output', [10, 12], truth, { what: 'Dropout(p=0.3, inplace=False)' });
  expect(causeOf(suspectOf(dropout, by(0.7)))).toBe("0.7 × the reference's: not scaled by 1/(1−p)");
  expect(causeOf(suspectOf(dropout, by(7 / 3)))).toBe(
    "2.33 × the reference's: scaled by 1/p, not by 1/(1−p)",
  );
});

it('one number added everywhere', () => {
  const ours = truth.map((x) => x + 0.25);
  expect(causeOf(suspectOf(held, ours))).toBe("0.25 more than the reference's everywhere");
});

it('a factor that is not named is no cause of one number', () => {
  const loss = heldOf('loss', [], Float64Array.of(2.5));
  expect(causeOf(suspectOf(loss, Float64Array.of(2.6)))).toBeUndefined();
  expect(causeOf(suspectOf(loss, Float64Array.of(20)), evidenceOf([], { batch: 8 }))).toContain(
    'summed over the batch',
  );
});

it('a factor that changes smoothly from element to element is none', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-4, max: 0.2 }),
      fc.double({ min: 0.05, max: 2 }),
      (size, speed) => {
        const ours = truth.map((x, i) => x * (1 + size * Math.sin(speed * i)));
        expect(causeOf(suspectOf(held, ours))).toBeUndefined();
      },
    ),
  );
});

it('a weight that a step has moved a little comes near to some factor by chance', () => {
  const weight = heldOf('fc.weight', [10, 12], truth, { kind: 'weight' });
  expect(causeOf(suspectOf(weight, by(0.9995)))).toBeUndefined();
  expect(causeOf(suspectOf(weight, by(1.37)))).toBe("1.37 × the reference's");
});
