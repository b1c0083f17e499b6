import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, launchOptions } from './chromium.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const files = ['manifest.json', 'tensors.safetensors'].map((name) => join(root, 'ref', name));

describe.skipIf(chromiumPath === undefined)('the port in a page (needs Chromium)', () => {
  let directory: string;
  let server: ViteDevServer;
  let browser: Browser;
  const troubles: string[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'mobile-block-'));
    server = await createServer({
      root,
      cacheDir: join(directory, 'vite'),
      server: { host: '127.0.0.1', port: 0 },
      logLevel: 'error',
    });
    await server.listen();
    browser = await chromium.launch(launchOptions);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Waits until the page has judged: what it says, and the report in it. */
  async function said(page: Page) {
    await page.locator('#verdict:not(.busy)').waitFor();
    const report = page.frameLocator('iframe');
    return {
      verdict: await page.locator('#verdict').textContent(),
      message: (await page.locator('#message').textContent()) ?? '',
      report,
    };
  }
  async function open(query: Readonly<Record<string, string>> = {}, width = 1280): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('console', (line) => line.type() === 'error' && troubles.push(line.text()));
    await page.goto(`${server.resolvedUrls?.local[0]}?${new URLSearchParams(query)}`);
    return page;
  }

  test.each(['webgl', 'cpu'])(
    'aligns with PyTorch on %s, and shows the report',
    async (backend) => {
      const page = await open({ backend });
      const { verdict, message, report } = await said(page);
      expect(message).toBe('11 tensors aligned with PyTorch');
      expect(verdict).toBe('✓ Aligned');
      expect(await report.locator('h1').textContent()).toContain('passed');
      expect(await report.locator('#failures').count()).toBe(0);
      expect(await report.locator('figure svg').textContent()).toContain('Outputs, forward');
      expect(await report.locator('dl').textContent()).toContain(`mobile block on ${backend}`);
      expect(troubles).toEqual([]);
    },
  );

  test.each([
    ['same padding', 'stem.conv', 'Conv2d(3, 8, kernel_size=(3, 3), stride=(2, 2)'],
    ['swish', 'stem.act', 'Hardswish()'],
  ])(
    'names the layer of a mistake, in its words and in the report: %s',
    async (mistake, layer, what) => {
      const { verdict, message, report } = await said(await open({ mistake }));
      expect(verdict).toBe('✗ Not aligned');
      expect([...message.matchAll(/^✗ ([^\s:]+)/gm)].map(([, name]) => name)).toEqual([
        `${layer}.output`,
      ]);
      expect(message).toContain(`made by ${layer}: ${what}`);
      const first = report.locator('#failure-table tbody tr').first();
      expect(await first.textContent()).toContain(`${layer}.output`);
    },
  );

  test('the report sorts and leads to its parts inside the page', async () => {
    const page = await open({ mistake: 'swish' });
    const { report } = await said(page);
    const head = report.locator('#failure-table th').first();
    await head.getByRole('button').click();
    expect(await head.getAttribute('aria-sort')).toBe('ascending');
    await report.getByRole('link', { name: 'Summary' }).click();
    const addresses = page.frames().map((frame) => frame.url());
    expect(addresses).toHaveLength(2);
    expect(addresses[1]).toMatch(/^blob:.*#summary$/);
    expect(await report.locator('h2#summary').isVisible()).toBe(true);
    expect(troubles).toEqual([]);
  });

  test('judges on a reference that a person chooses', async () => {
    const page = await open({ backend: 'cpu', mistake: 'swish' });
    await said(page);
    const input = page.locator('input[type=file]');
    const choose = async (paths: readonly string[]) => {
      await input.setInputFiles([...paths]);
      return said(page);
    };
    const whole = await choose(files);
    expect(whole.message).toContain('✗ stem.act.output');
    const hashes = whole.report.locator('#hash-table');
    expect(await hashes.textContent()).toContain('the chosen files/tensors.safetensors');

    const half = await choose(files.slice(0, 1));
    expect(half.verdict).toBe('✗ Nothing was judged');
    expect(half.message).toContain('tensors.safetensors is not among them');
    expect(await page.locator('iframe').isVisible()).toBe(false);

    const damaged = join(directory, 'tensors.safetensors');
    const bytes = readFileSync(files[1]);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(damaged, bytes);
    expect((await choose([files[0], damaged])).message).toMatch(/SHA-256 is [0-9a-f]{12}…/);
  });

  test.each([1280, 400])('is no wider than a window of %i pixels', async (width) => {
    const page = await open({ mistake: 'swish' }, width);
    await said(page);
    for (const frame of page.frames()) {
      const wide = await frame.evaluate('document.documentElement.scrollWidth');
      expect(wide).toBeLessThanOrEqual(width);
    }
  });
});
