import { describe, expect, it } from 'vitest';
import { check } from '../../align/judge/verdict.ts';
import { worstOf } from '../../align/judge/worst.ts';
import { tensor } from '../../tensor/tensor.ts';
import { failuresOf } from '../diffReport.ts';
import { facts, failingReport, passingReport, report, result } from '../testdata/sampleReports.ts';
import { whyFailed } from '../whyFailed.ts';
import { reporterNames, reporters } from './reporters.ts';

describe.each(reporterNames)('the reporter %s', (name) => {
  it('names what failed, and nothing of it where all passed', () => {
    const [{ name: failed }] = failuresOf(failingReport);
    expect(reporters[name].render([failingReport], facts)).toContain(failed);
    const passing = reporters[name].render([passingReport], facts);
    expect(passing).not.toMatch(/<failure|✗ |::error|passed: False|"passed": false/);
  });

  it('says that a stage which checked nothing has failed', () => {
    const nothing = report([result('forward', [])]);
    expect(reporters[name].render([nothing], facts)).toMatch(/failed|✗|nothing was checked|false/);
  });
});

it('a failure says which element is worst and how many are beyond the limit', () => {
  const [ours, pytorch, truth] = [
    [1, 2, 3, 9],
    [1, 2, 3.5, 4],
    [1, 2, 3.5, 4.25],
  ].map((values) => tensor('float64', [2, 2], Float64Array.from(values)));
  const worst = worstOf({ ours, pytorch, truth, whole: [2, 2] }, 0.25);
  const verdict = { name: 'a', layer: 'b', checks: [check('mean', 2, 1)], worst };
  expect(whyFailed(verdict)).toBe(
    'made by b: mean 2 > 1; worst at [1, 1]: 9, PyTorch 4 (float64 4.25); 2 of 4 beyond the limit, only in axis 0 = 1, the last',
  );
});
