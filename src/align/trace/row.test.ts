import fc from 'fast-check';
import { expect, it } from 'vitest';
import { input, relu } from '../../ir/build.ts';
import type { Node } from '../../ir/node.ts';
import { tensor } from '../../tensor/tensor.ts';
import { byFloat64 } from '../judge/float64.ts';
import { passed } from '../judge/verdict.ts';
import type { RecordedTensor } from '../reference/recorded.ts';
import { judgeRow } from './row.ts';
import { rowPassed } from './trace.ts';

const x = input('x', [8]) as Node<'input'>;
const alone = {
  name: 'relu alone',
  inputs: new Map([['x', x]]),
  state: new Map(),
  fetches: new Map([['relu', relu(x)]]),
};
const planned = { kind: 'output', layer: 'relu', name: 'relu', alone, reads: [] } as const;

const values = Array.from({ length: 8 }, (_, i) => 1 + i / 3);
/** Off by an error of which every second element has one sign. */
const off = (error: number) => {
  const data = Float32Array.from(values, (v, i) => v * (1 + (i % 2 === 0 ? error : -error)));
  return tensor('float32', [8], data);
};
const truth = tensor('float64', [8], Float64Array.from(values));

it('a stage and a trace count an error in the same unit, and pass it alike', () => {
  const error = fc.double({ min: 0, max: 2e-5, noNaN: true });
  fc.assert(
    fc.property(error, error, fc.option(error), (ours, pytorch, rounding) => {
      const record: RecordedTensor = {
        pytorch: off(pytorch),
        truth,
        ...(rounding === null ? {} : { rounding }),
      };
      const tolerance = { relativeL2: 5e-6 };
      const verdict = byFloat64(off(ours), { kind: 'float64', record, tolerance }).finding;
      const row = judgeRow({
        planned,
        ours: off(ours),
        record: { record },
        proof: { proven: true },
        inputsAgree: true,
        allBeforeAgree: true,
        bar: 5e-6,
      });
      const ratio = verdict.checks.find(({ method }) => method === 'ratio')?.value;
      expect(row.error?.ratio).toBe(ratio);
      expect(rowPassed(row)).toBe(passed(verdict));
    }),
  );
});

const evidence = {
  planned,
  record: { record: { pytorch: off(1e-7), truth } },
  proof: { proven: true },
  inputsAgree: true,
  allBeforeAgree: true,
  bar: 5e-6,
} as const;

it('a layer that adds too much by itself diverges, however near its whole error is', () => {
  expect(judgeRow({ ...evidence, ours: off(0), alone: { ours: off(1e-7), truth } }).state).toBe(
    'agrees',
  );
  expect(judgeRow({ ...evidence, ours: off(0), alone: { ours: off(1e-6), truth } }).state).toBe(
    'diverges',
  );
});

it('flips excuse a row only where the truth with them imposed is ours', () => {
  const flips = [{ layer: 'relu', element: 3, margin: 1e-7 }];
  const far = {
    ...evidence,
    ours: off(1e-3),
    alone: { ours: off(1e-7), truth },
    allBeforeAgree: false,
  } as const;
  const state = (error: number, more: Partial<Parameters<typeof judgeRow>[0]> = {}): string =>
    judgeRow({ ...far, imposed: { truth: off(error), flips }, ...more }).state;
  expect(state(1e-3)).toBe('flipped');
  expect(state(1e-3 + 1e-5)).toBe('inherits');
  expect(state(1e-3, { alone: { ours: off(1e-6), truth } })).toBe('diverges');
});

it('says which of PyTorch’s errors the limit is a multiple of', () => {
  const why = (pytorch: number, rounding?: number): string | undefined =>
    judgeRow({
      planned,
      ours: off(0),
      record: { record: { pytorch: off(pytorch), truth, ...(rounding ? { rounding } : {}) } },
      proof: { proven: true },
      inputsAgree: true,
      allBeforeAgree: true,
      bar: 5e-6,
    }).limit?.why;
  expect(why(0)).toBe('4 × a float32 rounding, PyTorch being within one');
  expect(why(1e-6)).toMatch(/^4 × PyTorch's own error 1\.\de-6$/);
  expect(why(1e-7, 1e-6)).toBe("4 × PyTorch's 1.0e-6 in other orders");
  expect(why(1e-7, 2e-6)).toBe('the upper bound for this kind of model');
});
