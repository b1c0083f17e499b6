import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { chapters } from '../site/pages.ts';
import { anchorsOf, linksOf } from './support/markdownLinks.ts';

/* The Markdown of the repository: its links, and its place on the site. */

const root = fileURLToPath(new URL('..', import.meta.url));

/** Folders that hold pages; what lies in them and is ignored by git is left out. */
const folders = ['docs', 'examples', 'reports/recorded'];
const ignored = /(^|\/)(node_modules|dist)\//;

const pages = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
      join(folder, file).replaceAll('\\', '/'),
    ),
  ),
].filter((file) => file.endsWith('.md') && !ignored.test(file));

const text = (page: string): string => readFileSync(join(root, page), 'utf8');

/** What is wrong with the links of a page. */
function brokenLinks(page: string, markdown: string): string[] {
  return linksOf(markdown).flatMap(({ path, anchor }) => {
    const file = path === '' ? join(root, page) : resolve(root, dirname(page), path);
    if (!existsSync(file)) return [`${path} is not there`];
    if (relative(root, file).startsWith('..')) return [`${path} leads out of the repository`];
    if (anchor === undefined) return [];
    if (statSync(file).isDirectory()) return [`${path} is a folder, without #${anchor}`];
    const anchors = anchorsOf(path === '' ? markdown : readFileSync(file, 'utf8'));
    return anchors.has(anchor) ? [] : [`${path} has no #${anchor}`];
  });
}

describe('the links between pages', () => {
  it('are many', () => {
    expect(pages.length).toBeGreaterThan(35);
    expect(pages.flatMap((page) => linksOf(text(page))).length).toBeGreaterThan(100);
  });

  it.each(pages)('of %s lead somewhere', (page) => {
    expect(brokenLinks(page, text(page))).toEqual([]);
  });

  it('are found, and what is wrong with them is said', () => {
    const markdown =
      '# A *head*: `x`, and\n## A *head*: `x`, and\n[a](#a-head-x-and) [b](#a-head-x-and-1) [c](#no)\n' +
      '[d](no.md) ![e](README.md#no "t") `[f](no.md)` [g](https://no) [h](../no)\n```\n[i](no.md)\n# j\n```\n[k](#j)\n';
    expect(brokenLinks('README.md', markdown)).toEqual([
      ' has no #no',
      'no.md is not there',
      'README.md has no #no',
      '../no is not there',
      ' has no #j',
    ]);
  });
});

describe('the site', () => {
  const shown = chapters.flatMap(({ pages }) => pages.map(({ file }) => file));

  it('has every page of docs/ in its navigation, once', () => {
    const docs = pages.filter((page) => page.startsWith('docs/') || !page.includes('/'));
    // The list of models links to the page of each.
    const listed = docs.filter(
      (page) => dirname(page) !== 'docs/models' || basename(page) === 'README.md',
    );
    expect(shown.toSorted()).toEqual(listed.toSorted());
  });

  it('lists every model', () => {
    const models = readdirSync(join(root, 'docs/models')).filter((file) =>
      /^[^R].*\.md$/.test(file),
    );
    const links = linksOf(text('docs/models/README.md')).map(({ path }) => path);
    expect(links).toEqual(expect.arrayContaining(models));
  });
});
