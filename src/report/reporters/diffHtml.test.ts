import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyReports } from '../testdata/anyReport.ts';
import {
  divergingTrace,
  facts,
  failingReport,
  passingReport,
  report,
} from '../testdata/sampleReports.ts';
import { diffHtml } from './diffHtml.ts';

const failing = report(failingReport.results, divergingTrace);

test('failures come first, with the layer that diverges named', () => {
  const page = diffHtml([failing], facts);
  const at = (words: string): number => {
    expect(page, words).toContain(words);
    return page.indexOf(words);
  };
  expect(at('<title>swa-align diff: 2 of 2 stages failed</title>')).toBeLessThan(at('<h1>'));
  expect(at('50 failures')).toBeLessThan(at('id="summary"'));
  at('first diverges at layer <code>features.16</code>');
  at('<h2 id="overrides">Limits set by hand</h2>');
  at('summed in another order on this machine\n');
  at('planted: ReLU’s gradient passed on at negative inputs');
  at('a'.repeat(64));
  at('<code>swa-align diff --model vgg16</code>');
  at('features.1[1234] flipped, 3.0e-8 of the RMS from its kink');
});

test('a run that passed has no section of failures', () => {
  const page = diffHtml([passingReport], facts);
  expect(page).toContain('all 2 stages passed');
  expect(page).not.toContain('id="failures"');
});

test('recordings that models have under one name are all there, shared inputs once', () => {
  const other = {
    ...passingReport,
    results: passingReport.results.map((r) => ({ ...r, model: 'vgg16bn' })),
    provenance: {
      ...passingReport.provenance,
      hashes: { 'inputs/fake_data.npy': 'a'.repeat(64), 'forward.npz': 'c'.repeat(64) },
    },
  };
  const page = diffHtml([passingReport, other], facts);
  for (const [digit, users] of [
    ['a', 'vgg16 forward, vgg16bn forward'],
    ['b', 'vgg16'],
    ['c', 'vgg16bn'],
  ]) {
    expect(page.match(new RegExp(digit.repeat(64), 'g'))).toHaveLength(1);
    expect(page).toContain(`${digit.repeat(64)}</span><td class="long">${users}\n`);
  }
});

test('every table has a caption and named heads, every id is there once', () => {
  const page = diffHtml([failing, failing, passingReport], facts);
  const tables = page.match(/<table/g)?.length ?? 0;
  expect(tables).toBeGreaterThan(6);
  expect(page.match(/<caption/g)).toHaveLength(tables);
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
});

test('its policy admits the script and the style it has, and nothing else', () => {
  const page = diffHtml([failing], facts);
  const hash = (tag: string): string => {
    const [, content] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page) ?? [];
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  };
  expect(page).toContain(
    `content="default-src 'none'; script-src ${hash('script')}; style-src ${hash('style')};`,
  );
});

test('whatever the run, no name becomes markup and nothing is fetched', () => {
  fc.assert(
    fc.property(anyReports, (reports) => {
      const page = diffHtml(reports, facts);
      expect(page.match(/<script/g)).toHaveLength(1);
      expect(page).not.toMatch(/<(?:img|link|iframe|object)\b/);
      const tags = page.match(/<[a-z][^<>]*>/gi)?.map((tag) => tag.replace(/"[^"]*"/g, '""')) ?? [];
      expect(tags.filter((tag) => /\s(?:src|on\w+)=/.test(tag))).toEqual([]);
      expect(page).not.toMatch(/undefined<|\[object|NaN"/);
    }),
    { numRuns: 40 },
  );
});
