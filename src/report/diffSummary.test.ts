import { expect, test } from 'vitest';
import { stageSummary } from './diffSummary.ts';
import { result } from './testdata/sampleReports.ts';

test('a stage in which nothing was checked says that, and does not pass', () => {
  const nothing = { ...result('swa', []), passed: false };
  const [head, why] = stageSummary(nothing);
  expect(head).toMatch(/^ {2}✗ swa +0 checked, 0 failed /);
  expect(why).toBe('      ✗ nothing was checked: the reference holds nothing for this stage');
});
