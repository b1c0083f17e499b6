import fc from 'fast-check';
import { expect, test } from 'vitest';
import { markdownCode, markdownText } from '../markdown.ts';
import { anyReport, anyReports, hostile } from '../testdata/anyReport.ts';
import {
  divergingTrace,
  facts,
  failingReport,
  passingReport,
  report,
  result,
} from '../testdata/sampleReports.ts';
import { diffMarkdown } from './diffMarkdown.ts';

test('a run that passed says so first, and keeps the rest folded', () => {
  const text = diffMarkdown([passingReport], facts);
  expect(text.split('\n')[0]).toBe('## ✅ swa-align diff: all 2 stages passed');
  expect(text).toContain(
    '| `vgg16` | forward | ✅ passed | 39 | 0 | ratio 1.11 of 4 (features.3) | 1.3 |',
  );
  expect(text).toContain('<summary>Where the numbers come from</summary>');
  expect(text).toContain(`\`${'a'.repeat(64)}\``);
  expect(text.match(/<details>/g)).toHaveLength(text.match(/<\/details>/g)?.length ?? 0);
});

test('a run that failed names what failed before anything else', () => {
  const text = diffMarkdown([report(failingReport.results, divergingTrace)], facts);
  expect(text.split('\n')[0]).toBe('## ❌ swa-align diff: 2 of 2 stages failed');
  const at = (words: string): number => text.indexOf(words);
  expect(
    at('**First divergence** in `vgg16`: the output gradient `features.15.output.grad`'),
  ).toBeGreaterThan(0);
  expect(at('### 50 failures')).toBeLessThan(at('| model | stage |'));
  expect(text).toContain(
    '- `vgg16` trace: `features.12`, limit 1.0e-5: summed in another order on this machine',
  );
  expect(text).toContain('- … and 30 more, in `diff.html`');
});

test('under 65,536 characters, whatever the run', () => {
  fc.assert(
    fc.property(anyReports, (reports) => {
      expect(diffMarkdown(reports, facts).length).toBeLessThan(65_536);
    }),
    { numRuns: 60 },
  );
  const long = { name: '`|&<'.repeat(5000), checks: [], problem: '<@'.repeat(5000) };
  const stages = Array.from({ length: 400 }, () =>
    result('loss', [long, long], ['&'.repeat(9000)]),
  );
  const text = diffMarkdown(
    Array.from({ length: 10 }, () => report(stages)),
    facts,
  );
  expect(text.length).toBeLessThan(65_536);
  expect(text).toContain('### 8000 failures');
  expect(text.trimEnd().split('\n').at(-1)).toBe('… the rest is in `diff.html`.');
});

test('nobody is mentioned, no table broken and no tag opened by a name', () => {
  fc.assert(
    fc.property(anyReport, fc.constantFrom(...hostile), (made, name) => {
      const text = diffMarkdown(
        [made, report([result('loss', [{ name, checks: [], problem: name }], [name])])],
        facts,
      );
      const outside = text.replace(/`[^`\n]*`/g, '').replace(/<code>[^<]*<\/code>/g, '');
      const tags = outside.replaceAll('<!-- -->', '').match(/<[^>]*>?/g) ?? [];
      expect(tags.every((tag) => /^<\/?(?:details|summary)>$/.test(tag))).toBe(true);
      expect(outside).not.toMatch(/@\w|(?<!&)#\w|\]\(|https?:\/\//);
    }),
    { numRuns: 60 },
  );
});

test('rows of the stage table have as many cells as its head', () => {
  for (const name of hostile) {
    const verdict = { name, checks: [], problem: name };
    const text = diffMarkdown([report([result('loss', [verdict], [], name)])], facts);
    const rows = text.split('\n').filter((line) => line.startsWith('| ') && line.endsWith(' |'));
    const bars = (line: string): number => line.match(/(?<!\\)\|/g)?.length ?? 0;
    expect(rows.slice(0, 3).map(bars)).toEqual([8, 8, 8]);
  }
});

test('words and code', () => {
  expect(markdownText('a_b <i> @me #1')).toBe('a&#95;b &#60;i&#62; @<!-- -->me #<!-- -->1');
  expect(markdownCode('features.0 & more')).toBe('`features.0 & more`');
  expect(markdownCode('a`b|c')).toBe('<code>a&#96;b&#124;c</code>');
});
