import { expect, it } from 'vitest';
import { evidenceOf, heldOf, numbersFrom, suspectOf, verdictsOn } from './testdata/suspects.ts';

const gradients = Array.from({ length: 5 }, (_, k) =>
  heldOf(`layer${k}.weight.grad`, [6, 7], numbersFrom(k, 42)),
);

it('one mistake in several tensors is counted in all of them', () => {
  const suspects = gradients.map((held, k) => {
    const truth = numbersFrom(k, 42);
    return suspectOf(
      held,
      k === 4 ? truth.map((x, i) => x * (1 + 0.1 * Math.cos(i))) : truth.map((x) => x * 8),
    );
  });
  const verdicts = verdictsOn(suspects, evidenceOf(gradients, { batch: 8 }));
  const { cause } = verdicts.get('layer0.weight.grad')!;
  expect(cause).toMatchObject({ hypothesis: 'factor', explains: 4, of: 5 });
  expect(cause!.left).toBeLessThan(1e-12);
  expect(verdicts.get('layer4.weight.grad')!.cause).toBeUndefined();
});

it('where nothing explains it, what takes away half of the error is told, and nothing else', () => {
  const truth = numbersFrom(1, 42);
  const off = truth.map((x, i) => 3 * x * (1 + 1e-3 * Math.cos(i)));
  const verdict = verdictsOn([suspectOf(gradients[1], off)]).get('layer1.weight.grad')!;
  expect(verdict.cause).toBeUndefined();
  expect(verdict.nearest?.[0].hypothesis).toBe('factor');
  expect(verdict.nearest?.[0].left).toBeGreaterThan(1e-4);
  const other = verdictsOn([suspectOf(gradients[1], numbersFrom(99, 42))]).get(
    'layer1.weight.grad',
  )!;
  expect([other.cause, other.nearest]).toEqual([undefined, undefined]);
});

it('NaN, and another number of elements, have no numbers to look at', () => {
  const nan = suspectOf(gradients[0], new Float64Array(42).fill(Number.NaN));
  expect(verdictsOn([nan]).get('layer0.weight.grad')!.cause).toBeUndefined();
  const short = suspectOf(gradients[0], new Float64Array(12), [3, 4]);
  expect(verdictsOn([short]).get('layer0.weight.grad')!.cause).toBeUndefined();
});

it('of a long tensor that is wholly off, nothing is near', () => {
  const all = [0, 1, 2].map((k) => heldOf(`layer${k}.output`, [30, 40], numbersFrom(k, 1200)));
  const wild = numbersFrom(77, 1200).map((x) => 2 * x);
  const { cause, nearest } = verdictsOn([suspectOf(all[1], wild)], evidenceOf(all)).get(
    'layer1.output',
  )!;
  expect([cause, nearest]).toEqual([undefined, undefined]);
});

it('a name that fits some of the tensors gives way to what fits all', () => {
  const widths = [4, 8, 8, 16];
  const suspects = widths.map((width, k) => {
    const truth = numbersFrom(k, 3 * width);
    return suspectOf(
      heldOf(`layer${k}.weight.grad`, [3, width], truth),
      truth.map((x) => x * 8),
    );
  });
  const causes = [...verdictsOn(suspects).values()].map(({ cause }) => cause!);
  expect(causes.map(({ says, explains }) => [says, explains])).toEqual(
    widths.map(() => ["8 × the reference's", 4]),
  );
  const known = [...verdictsOn(suspects, evidenceOf([], { batch: 8 })).values()];
  expect(known.map(({ cause }) => cause!.says)).toEqual(
    widths.map(() => "8 × the reference's: summed over the batch, not averaged"),
  );
});
