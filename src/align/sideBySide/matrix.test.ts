import { expect, it } from 'vitest';
import { matrixLines } from '../../report/reporters/matrixReport.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { check, type Verdict } from '../judge/verdict.ts';
import { distances } from '../measure/distance.ts';
import { matrixOf } from './matrix.ts';

type Witness = Parameters<typeof matrixOf>[1][number];

const vector = (...values: number[]): Tensor =>
  tensor('float32', [values.length], Float32Array.from(values));

const pytorch = vector(3, 4);

/** A backend that recorded `y` and says it is `error` from the truth. */
const witness = (
  name: string,
  y: Tensor,
  error: number,
  more: readonly Verdict[] = [],
): Witness => ({
  name,
  description: `the ${name} backend`,
  results: [
    {
      stage: 'backward',
      model: 'tiny',
      passed: true,
      seconds: 2,
      verdicts: [
        {
          name: 'y',
          checks: [check('relative l2', error, 1, { pytorch: 0.25 })],
          distances: distances(y, pytorch),
        },
        ...more,
      ],
      ours: new Map([['y', y]]),
      pytorch: new Map([['y', pytorch]]),
      inputs: [],
      notes: [],
    },
  ],
});

it('puts each backend beside the truth, PyTorch and the others', () => {
  // ‖(3, 4)‖ = 5
  const matrix = matrixOf(
    'tiny',
    [witness('a', vector(3, 4.5), 0.5), witness('b', vector(3, 5), 0.125)],
    [{ name: 'c', why: 'it is not here' }],
  );
  expect(matrix.rows.map(({ cells }) => cells[0])).toEqual([
    {
      stage: 'backward',
      passed: true,
      seconds: 2,
      toTruth: { tensor: 'y', relativeL2: 0.5, pytorch: 0.25 },
      toPyTorch: { tensor: 'y', relativeL2: 0.1 },
    },
    {
      stage: 'backward',
      passed: true,
      seconds: 2,
      toTruth: { tensor: 'y', relativeL2: 0.125, pytorch: 0.25 },
      toPyTorch: { tensor: 'y', relativeL2: 0.2 },
    },
  ]);
  const [{ stage, a, b, furthest }] = matrix.pairs;
  expect([stage, a, b, furthest.tensor]).toEqual(['backward', 'a', 'b', 'y']);
  expect(furthest.relativeL2).toBeCloseTo(0.5 / Math.hypot(3, 5), 12);
  const text = matrixLines(matrix).join('\n');
  expect(text).toContain('c left out: it is not here');
  expect(text).toContain('| b | backward | yes | 1.3e-1 (y; PyTorch 2.5e-1) | 2.0e-1 (y) | 2.0 |');
});

/** A backend whose `y` has another shape than everybody's. */
function shaped(): Witness {
  const { results, ...rest } = witness('b', vector(3, 4), 0.1);
  return { ...rest, results: [{ ...results[0], ours: new Map([['y', vector(3, 4, 0)]]) }] };
}

it('names the worst tensor, lets no NaN hide behind a number, and skips what is zero but for rounding', () => {
  const zero: Verdict = {
    name: 'cancelled',
    checks: [check('scaled', 1e-9, 1)],
    distances: distances(vector(1e-9, 0), vector(0, 1e-9)),
  };
  const worse: Verdict = { name: 'z', checks: [check('relative l2', Number.NaN, 1)] };
  const { rows, pairs } = matrixOf(
    'tiny',
    [witness('a', vector(3, 4), 0.5, [worse, zero]), shaped()],
    [],
  );
  expect(rows[0].cells[0].toTruth).toEqual({ tensor: 'z', relativeL2: Number.NaN });
  expect(rows[0].cells[0].toPyTorch).toEqual({ tensor: 'y', relativeL2: 0 });
  // of one name and two shapes: incomparable, which is no agreement
  expect(pairs[0].furthest).toEqual({ tensor: 'y', relativeL2: Number.NaN });
});
