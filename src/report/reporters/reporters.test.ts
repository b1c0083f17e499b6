import { describe, expect, it } from 'vitest';
import { check } from '../../align/judge/verdict.ts';
import { worstOf } from '../../align/judge/worst.ts';
import { tensor } from '../../tensor/tensor.ts';
import { failuresOf } from '../diffReport.ts';
import { firstDivergence } from '../divergence.ts';
import {
  causedReport,
  facts,
  failingReport,
  passingReport,
  report,
  result,
} from '../testdata/sampleReports.ts';
import { whyFailed } from '../whyFailed.ts';
import { type ReporterName, reporterNames, reporters } from './reporters.ts';

/** Once for all tensors, where a reader sees the whole; a case of JUnit has its message as an attribute and as a text. */
const timesTold: { readonly [R in ReporterName]: number } = {
  terminal: 1,
  log: 1,
  json: 3,
  junit: 6,
  markdown: 1,
  // In the head of the page, and in the table of failures.
  html: 2,
  annotations: 1,
};

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

  it('says what the mistake is, and of how many tensors it is', () => {
    const text = reporters[name].render([causedReport()], facts);
    const told =
      text.match(/128 × the reference.{1,9}s: summed over the batch, not averaged/g) ?? [];
    expect(told).toHaveLength(timesTold[name]);
    if (name === 'json') return expect(text).toMatch(/"explains": 3,\s+"of": 4/);
    expect(text).toMatch(/\(explains 3 of 4 failing tensors, left \d\.\de-\d+\)/);
    const { numbers } = failuresOf(causedReport())[0];
    if (name !== 'log')
      expect(text.search(/128 ×/)).toBeLessThan(text.indexOf(numbers.slice(0, 12)));
    if (name !== 'junit')
      expect(text).toMatch(/features\.3\.weight\.grad(?:`|<\/code>)? and 2 more: 128 ×/);
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

it('the first divergence tells a cause once, with what else it explains, beside the name', () => {
  const [{ verdicts }] = causedReport().results;
  const lines = firstDivergence({ verdicts, missing: [] });
  expect(lines[1]).toMatch(
    /^✗ iter0\/features\.3\.weight\.grad: 128 × the reference's: summed over the batch, not averaged \(explains 3 of 4 failing tensors, left \d\.\de-\d+\)$/,
  );
  expect(lines[2]).toBe('  made by features.3');
  expect(lines).toContain(
    '  the same in iter0/features.1.weight.grad, iter0/features.0.weight.grad',
  );
  expect(lines.filter((line) => line.startsWith('✗'))).toHaveLength(2);
});
