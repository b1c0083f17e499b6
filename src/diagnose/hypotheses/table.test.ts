import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hypotheses } from './index.ts';

const page = readFileSync(new URL('../../../docs/reading-a-failure.md', import.meta.url), 'utf8');

it('docs/reading-a-failure.md lists every row of the table in its own words, and no other', () => {
  const [, section] = /## What is looked for\n([\s\S]*?)\n## /.exec(page)!;
  const rows = section.split('\n').filter((line) => /^\| (?!row|---)/.test(line));
  const told = hypotheses.map(({ name, about }) => `| ${name} | ${about} |`);
  expect(rows.toSorted()).toEqual(told.toSorted());
});
