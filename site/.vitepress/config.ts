import { cpSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type MarkdownOptions } from 'vitepress';
import { addressOf, api, chapters } from '../pages.ts';

/* The site of the repository's own Markdown: a page lies where its file lies, so the links between files work in both. */

const site = fileURLToPath(new URL('..', import.meta.url));
const root = join(site, '..');

/** Files that pages link to and that are no pages themselves: a log, an SVG. They are copied beside the pages. */
const linked = new Set<string>();

type MarkdownIt = Parameters<NonNullable<MarkdownOptions['config']>>[0];

/** Links to a README lead to its folder's page; links to a file that is no page lead to its copy. */
function followLinks(md: MarkdownIt): void {
  md.core.ruler.push('links between files', ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href === null || /^(?:[a-z]+:|#|\/)/.test(href)) continue;
      const [path] = href.split('#');
      if (path.endsWith('README.md')) {
        token.attrSet('href', href.replace('README.md', 'index.md'));
      } else if (!path.endsWith('.md')) {
        const file = resolve(dirname(env.path), path);
        if (!existsSync(file) || !statSync(file).isFile()) continue;
        linked.add(relative(content, file));
        token.attrs?.push(['target', '_self']);
      }
    }
  });
}

/**
 * What is shown, linked under this folder: VitePress looks for packages from where a page lies, and its packages
 * are here. Links keep the pages alive while they are edited.
 */
const content = join(site, 'content');
const shown = [
  'docs',
  'diff/recorded',
  'reports/recorded',
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
];
for (const path of shown) {
  const link = join(content, path);
  mkdirSync(dirname(link), { recursive: true });
  if (!existsSync(link)) symlinkSync(relative(dirname(link), join(root, path)), link);
}

/** Indented code as if it stood between fences: in a box that scrolls, also by the keyboard. */
function fenceCode(md: MarkdownIt): void {
  md.core.ruler.push('indented code', ({ tokens }) => {
    for (const token of tokens.filter(({ type }) => type === 'code_block')) token.type = 'fence';
  });
}

export default defineConfig({
  title: 'swa-align',
  description: 'Proves a TypeScript port of a PyTorch program right, number by number',
  lang: 'en',
  // No picture of its own, and none is asked for.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: 'content',
  rewrites: (file) =>
    addressOf(file)
      .replace(/\/$|^$/, '$&index')
      .replace(/(\.html)?$/, '.md'),
  outDir: 'dist',
  cacheDir: '.vitepress/cache',
  vite: { resolve: { preserveSymlinks: true }, server: { fs: { allow: [root] } } },
  markdown: {
    config(md) {
      followLinks(md);
      fenceCode(md);
    },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  buildEnd({ outDir }) {
    for (const file of linked) {
      mkdirSync(dirname(join(outDir, file)), { recursive: true });
      cpSync(join(content, file), join(outDir, file));
    }
  },
  themeConfig: {
    outline: [2, 3],
    search: { provider: 'local' },
    sidebar: [...chapters, api].map(({ title, pages }) => ({
      text: title,
      items: pages.map(({ title, file }) => ({ text: title, link: `/${addressOf(file)}` })),
    })),
  },
});
