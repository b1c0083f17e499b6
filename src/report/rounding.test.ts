import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check, type Verdict } from '../align/judge/verdict.ts';
import { stageSummary } from './diffSummary.ts';
import { diffHtml } from './reporters/diffHtml.ts';
import { diffJson } from './reporters/diffJson.ts';
import { diffMarkdown } from './reporters/diffMarkdown.ts';
import { roundingOf, roundingsOf, roundingWords } from './rounding.ts';
import { facts, report, result } from './testdata/sampleReports.ts';

const judged = (name: string, ratio: number, pytorch = 2e-7): Verdict => ({
  name,
  checks: [check('relative l2', ratio * pytorch, 5e-6, { pytorch }), check('ratio', ratio, 4)],
});

const digest: Verdict = { name: 'initial weights', checks: [check('equal', 0, 0)] };
const verdicts = [digest, judged('a', 1.5), judged('b', 0.5), judged('c', 3), judged('d', 1)];

test('median and worst of what has a ratio, with the errors behind the worst', () => {
  const found = roundingOf(verdicts)!;
  expect(found).toMatchObject({ tensors: 4, median: 1.25, worst: 3, tensor: 'c' });
  expect(found.error!.ours).toBeCloseTo(6e-7, 12);
  expect(found.error!.pytorch).toBe(2e-7);
  expect(roundingWords(found)).toBe(
    "1.25 × PyTorch's own error in the median of 4, 3 at worst (c)",
  );
  expect(roundingOf([...verdicts, judged('copy of c', 3)])!.tensor).toBe('c');
  expect(roundingOf([digest])).toBeUndefined();
  expect(roundingOf([])).toBeUndefined();
});

test('NaN is worse than every number', () => {
  const found = roundingOf([judged('a', 2), judged('nan', Number.NaN), judged('b', 1)])!;
  expect(found).toMatchObject({ median: 2, worst: Number.POSITIVE_INFINITY, tensor: 'nan' });
});

test('as many tensors lie above the median as below it, and none above the worst', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (all) => {
      const { tensors, median, worst } = roundingOf(all.map((r, i) => judged(`t${i}`, r)))!;
      expect(tensors).toBe(all.length);
      expect(worst).toBe(Math.max(...all));
      const below = all.filter((r) => r < median).length;
      expect(below).toBeLessThanOrEqual(all.length / 2);
      expect(all.filter((r) => r > median).length).toBeLessThanOrEqual(all.length / 2);
    }),
  );
});

const gpu = {
  ...report([result('forward', verdicts), result('loss', [digest])]),
  provenance: {
    ours: 'swa-align 0.1.0 on ONNX Runtime 1.30.0, WebGPU on Some GPU',
    theirs: 'PyTorch 2.13.0+cpu (AVX512)',
    hashes: {},
  },
};

test('a stage without such a measure has no row', () => {
  expect(roundingsOf([gpu]).map(({ model, stage }) => [model, stage])).toEqual([
    ['vgg16', 'forward'],
  ]);
});

test('terminal, Markdown, page and JSON say which device it was and by how much', () => {
  expect(stageSummary(gpu.results[0])).toContain(
    "      rounding 1.25 × PyTorch's own error in the median of 4, 3 at worst (c)",
  );
  expect(stageSummary(gpu.results[1]).join()).not.toContain('rounding');

  const markdown = diffMarkdown([gpu], facts);
  expect(markdown).toContain(
    "<summary>Rounding of swa-align 0.1.0 on ONNX Runtime 1.30.0, WebGPU on Some GPU: 1.25 × PyTorch's own error in the median, 3 at worst</summary>",
  );
  expect(markdown).toContain('| `vgg16` | forward | 4 | 1.25 | 3 | `c` | 6.0e-7 | 2.0e-7 |');

  const page = diffHtml([gpu], facts);
  expect(page).toContain('Computed by swa-align 0.1.0 on ONNX Runtime 1.30.0, WebGPU on Some GPU.');
  expect(page).toMatch(
    /<th>vgg16 forward<td class="n">4<td class="n">1.25<td class="n">3<td>c<td class="n">6.0e-7/,
  );
  expect(diffHtml([report([result('loss', [digest])])], facts)).not.toContain('id="rounding"');

  const [{ stages }] = JSON.parse(diffJson([gpu])).models;
  expect(stages[0].rounding).toMatchObject({ tensors: 4, median: 1.25, worst: 3, tensor: 'c' });
  expect(stages[1]).not.toHaveProperty('rounding');
});
