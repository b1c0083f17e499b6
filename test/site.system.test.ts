import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOf, api, chapters } from '../site/pages.ts';
import { chromiumPath } from './support/chromium.ts';

/* The built site in a real browser. */

const site = fileURLToPath(new URL('../site', import.meta.url));
const dist = join(site, 'dist');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const lacks = [
  ...(chromiumPath === undefined ? ['Chromium'] : []),
  ...(existsSync(join(site, 'node_modules/vitepress')) ? [] : ['npm run docs:install']),
];

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** Serves the built files as any static host does. */
function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = join(dist, decodeURIComponent(pathname).replace(/\/$/, '/index.html'));
    const found = existsSync(path) && statSync(path).isFile();
    response.writeHead(found ? 200 : 404, {
      'content-type': types[extname(path)] ?? 'application/octet-stream',
    });
    response.end(found ? readFileSync(path) : 'not found');
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Violations that axe calls serious or critical. */
const violations = (page: Page): Promise<string[]> =>
  page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).slice(0, 3).join(' ')))`,
  );

describe.skipIf(lacks.length > 0)('the site (needs Chromium and npm run docs:install)', () => {
  let server: Server;
  let browser: Browser;
  let address: string;
  let written: string[];

  beforeAll(async () => {
    const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'docs'], {
      cwd: join(site, '..'),
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
    expect(status, `${stdout}${stderr}`).toBe(0);
    written = readdirSync(dist, { recursive: true, encoding: 'utf8' })
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => file.endsWith('.html') && file !== '404.html')
      // A report of diff that pages link to, which diffPage.system.test.ts looks at.
      .filter((file) => !file.startsWith('reports/recorded/diff.'));
    server = await serve();
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({
      executablePath: chromiumPath ?? '',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** Opens a page; what its scripts complain about, and what it fetches elsewhere, ends up in `troubles`. */
  async function open(context: BrowserContext, path: string) {
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(address)) troubles.push(request.url());
    });
    await page.goto(`${address}/${path}`, { waitUntil: 'load' });
    return { page, troubles };
  }

  /** What is wrong with each page, at both widths and in both schemes; axe takes most of the time and looks twice. */
  async function wrongOn(pages: readonly string[]): Promise<string[]> {
    const context = await browser.newContext();
    const wrong: string[] = [];
    for (const path of pages) {
      const { page, troubles } = await open(context, path);
      await page.evaluate(axe);
      for (const [width, colorScheme, looks] of [
        ...[[1280, 'dark', false] as const, [1280, 'light', true] as const],
        ...[[400, 'light', false] as const, [400, 'dark', true] as const],
      ]) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        // Scripts hear of it a little later.
        await page.waitForFunction(
          `document.documentElement.classList.contains('dark') === ${colorScheme === 'dark'}`,
        );
        const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        const found = Number(over) > 0 ? [`${over} px too wide`] : [];
        if (looks) found.push(...(await violations(page)));
        wrong.push(...found.map((text) => `${width} px, ${colorScheme}, ${path}: ${text}`));
      }
      wrong.push(...troubles.map((text) => `${path}: ${text}`));
      await page.close();
    }
    await context.close();
    return wrong;
  }

  it('is sound on every page, wide and narrow, light and dark', async () => {
    expect(written.length).toBeGreaterThan(35);
    const half = Math.ceil(written.length / 2);
    const wrong = await Promise.all([
      wrongOn(written.slice(0, half)),
      wrongOn(written.slice(half)),
    ]);
    expect(wrong.flat()).toEqual([]);
  }, 600_000);

  it('leads from any page to every other', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const { page } = await open(context, 'docs/glossary.html');
    const links = await page
      .locator('.VPSidebar a')
      .evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    const wanted = [...chapters, api].flatMap(({ pages }) =>
      pages.map(({ file }) => `/${addressOf(file)}`),
    );
    expect(links).toEqual(expect.arrayContaining(wanted));
    // By a click, without the page being loaded again.
    await page.getByRole('link', { name: 'A hypothesis', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Adding a hypothesis' }).waitFor();
    await context.close();
  });

  it('finds a page by a word of it', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const { page, troubles } = await open(context, 'index.html');
    await page.getByRole('button', { name: 'Search' }).first().click();
    await page.getByRole('searchbox').fill('kink-free');
    await page.getByRole('option').first().click();
    await page.waitForURL(/docs\/.*#.*kink-free/);
    expect(troubles).toEqual([]);
    await context.close();
  });
});
