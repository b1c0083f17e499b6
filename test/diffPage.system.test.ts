import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffHtml } from '../src/report/reporters/diffHtml.ts';
import { hostile } from '../src/report/testdata/anyReport.ts';
import {
  divergingTrace,
  facts,
  failingReport,
  passingReport,
  report,
  result,
} from '../src/report/testdata/sampleReports.ts';
import { chromiumPath } from './support/chromium.ts';

/* The page of a diff in a real browser. */

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const failing = report(failingReport.results, divergingTrace);
const strange = report([
  result(
    'loss',
    hostile.map((name) => ({ name, checks: [], problem: name })),
    hostile,
    '<b id="owned">model</b>',
  ),
]);

/** Where the focus is, and how it shows. */
interface Focus {
  readonly tag: string;
  readonly outlineStyle: string;
  readonly outlineWidth: string;
}

let directory: string;
let browser: Browser;

interface View {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly javaScriptEnabled?: boolean;
}

/** Opens a page; what it fetches besides itself, and what its scripts complain about, ends up in `troubles`. */
async function open(
  content: string,
  { width = 1280, colorScheme = 'light', javaScriptEnabled = true }: View = {},
): Promise<{ page: Page; troubles: string[] }> {
  const file = join(directory, 'page.html');
  writeFileSync(file, content);
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    javaScriptEnabled,
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  const url = pathToFileURL(file).href;
  page.on('request', (r) => {
    if (r.url() !== url) troubles.push(r.url());
  });
  page.on('console', (message) => troubles.push(message.text()));
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('dialog', (dialog) => troubles.push(dialog.message()));
  await page.goto(url);
  return { page, troubles };
}

/** What stands in a column; of a tensor its name, without what its layer is. */
const column = (page: Page, table: string, n: number): Promise<string[]> =>
  page.locator(`#${table} tbody tr:visible`).evaluateAll(
    (rows, index) =>
      rows.map((row) => {
        const cell = row.children[index];
        const whole = cell.querySelector('small') === null;
        return (whole ? cell.textContent : cell.firstChild?.textContent?.trimEnd()) ?? '';
      }),
    n,
  );

describe.skipIf(chromiumPath === undefined)('the page of a diff (needs Chromium)', () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'swa-align-page-'));
    browser = await chromium.launch({
      executablePath: chromiumPath ?? '',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const checks = 'model-1-vgg16-checks';
  const trace = 'model-1-vgg16-trace';

  test('sorts by a column, largest first, smallest first, and back; NaN comes last', async () => {
    const { page, troubles } = await open(diffHtml([failing], facts));
    const head = page.locator(`#${trace} th`, { hasText: 'Ours' });
    const before = await column(page, trace, 3);
    expect(await head.getAttribute('aria-sort')).toBeNull();

    await head.getByRole('button').click();
    expect(await head.getAttribute('aria-sort')).toBe('descending');
    const down = await column(page, trace, 3);
    const numbers = down.filter((text) => text !== '').map(Number);
    expect(numbers.length).toBe(107);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    expect(down.at(-1)).toBe('');

    await head.getByRole('button').click();
    expect(await head.getAttribute('aria-sort')).toBe('ascending');
    const up = (await column(page, trace, 3)).filter((text) => text !== '').map(Number);
    expect(up).toEqual(numbers.toReversed());

    await head.getByRole('button').click();
    expect(await head.getAttribute('aria-sort')).toBeNull();
    expect(await column(page, trace, 3)).toEqual(before);
    expect(troubles).toEqual([]);
  });

  test('sorts names as people count: features.2 before features.10', async () => {
    const { page } = await open(diffHtml([failing], facts));
    await page.locator(`#${trace} th`, { hasText: 'Tensor' }).getByRole('button').click();
    const names = (await column(page, trace, 0)).filter((name) => /^features\.\d+$/.test(name));
    expect(names).toEqual(Array.from({ length: 31 }, (_, i) => `features.${i}`));
  });

  test('filters by words and by failure, and says how much is left', async () => {
    const { page, troubles } = await open(diffHtml([failing], facts));
    const tools = page.locator(`[data-for="${checks}"]`);
    const count = tools.locator('output');
    expect(await count.textContent()).toBe('116 of 116 rows');
    await tools.getByRole('searchbox').fill('CLASSIFIER moments');
    expect(await count.textContent()).toBe('7 of 116 rows');
    const names = await column(page, checks, 0);
    expect(names.every((name) => name.startsWith('classifier.'))).toBe(true);

    await tools.getByRole('searchbox').press('Escape');
    await tools.getByRole('checkbox', { name: 'Only failures' }).check();
    const results = await column(page, checks, 1);
    expect(results).toHaveLength(56);
    expect(results.every((text) => text.includes('failed'))).toBe(true);
    await tools.getByRole('searchbox').fill('no such tensor');
    expect(await count.textContent()).toBe('0 of 116 rows');
    expect(troubles).toEqual([]);
  });

  test('says beside a tensor’s name what its layer is, and finds it by that', async () => {
    const { page } = await open(diffHtml([failing], facts));
    const tools = page.locator(`[data-for="${trace}"]`);
    await tools.getByRole('searchbox').fill('conv2d(128, 256 padding=1');
    expect(await column(page, trace, 0)).toEqual([
      'features.10',
      'features.10.output.grad',
      'features.10.bias.grad',
      'features.10.weight.grad',
    ]);
    expect(new Set(await page.locator(`#${trace} tr:visible small`).allTextContents())).toEqual(
      new Set(['Conv2d(128, 256, kernel_size=3, padding=1)']),
    );
    expect(await page.locator('.callout').textContent()).toContain(
      'first diverges at layer features.16 (MaxPool2d(kernel_size=2)): the output gradient features.15',
    );
  });

  test('is worked by the keyboard alone, with the focus in sight', async () => {
    const { page } = await open(diffHtml([failing], facts));
    const seen = new Set<string>();
    const focused = (): Promise<Focus | null> =>
      page.evaluate(`(() => {
        const at = document.activeElement;
        if (at === document.body) return null;
        const { outlineStyle, outlineWidth } = getComputedStyle(at);
        const tag = at.tagName + (at.getAttribute('type') ?? '') + at.className;
        return { tag, outlineStyle, outlineWidth };
      })()`);
    for (let i = 0; i < 200; i++) {
      await page.keyboard.press('Tab');
      const at = await focused();
      if (at === null) break;
      seen.add(at.tag);
      expect(at.outlineStyle, at.tag).toBe('solid');
      expect(parseFloat(at.outlineWidth), at.tag).toBeGreaterThanOrEqual(2);
    }
    for (const tag of [
      'A',
      'INPUTsearch',
      'INPUTcheckbox',
      'BUTTONbutton',
      'DIVscroll',
      'DIVchart',
    ]) {
      expect(seen).toContain(tag);
    }
    await page.locator(`#${trace} th`, { hasText: 'Ratio' }).getByRole('button').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Space');
    expect(await page.locator(`#${trace} th[aria-sort]`).getAttribute('aria-sort')).toBe(
      'ascending',
    );
    await page.locator(`[data-for="${trace}"] [type=checkbox]`).focus();
    await page.keyboard.press('Space');
    expect(new Set(await column(page, trace, 1))).toEqual(
      new Set(['✗ diverges', '✗ missing', '· inherits']),
    );
  });

  test.each([400, 1280])('never scrolls sideways at %i px', async (width) => {
    for (const made of [failing, passingReport, strange]) {
      const { page } = await open(diffHtml([made], facts), { width });
      expect(
        await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
      ).toBeLessThanOrEqual(0);
    }
  });

  test('takes its colours from the reader’s scheme', async () => {
    const colours = async (colorScheme: 'light' | 'dark') => {
      const { page } = await open(diffHtml([failing], facts), { colorScheme });
      return page.evaluate(`({
        paper: getComputedStyle(document.body).backgroundColor,
        ink: getComputedStyle(document.body).color,
        chart: getComputedStyle(document.querySelector('.chart text.head')).fill,
      })`);
    };
    const [light, dark] = [await colours('light'), await colours('dark')];
    expect(light).toEqual({
      paper: 'rgb(255, 255, 255)',
      ink: 'rgb(31, 35, 40)',
      chart: 'rgb(31, 35, 40)',
    });
    expect(dark).toEqual({
      paper: 'rgb(13, 17, 23)',
      ink: 'rgb(230, 237, 243)',
      chart: 'rgb(230, 237, 243)',
    });
  });

  test('reads without scripts: every row there, no dead control in sight', async () => {
    const { page } = await open(diffHtml([failing], facts), { javaScriptEnabled: false });
    expect(await page.locator('button, input:visible').count()).toBe(0);
    expect(await page.locator(`#${checks} tbody tr:visible`).count()).toBe(116);
    expect(await page.locator('.chart svg:visible').count()).toBe(1);
    expect(await page.locator('.chart text.wrongText').textContent()).toBe(
      'first to diverge: features.15',
    );
  });

  test('a name is only ever a name', async () => {
    const { page, troubles } = await open(diffHtml([strange], facts));
    expect(troubles).toEqual([]);
    expect(await page.locator('img, #owned').count()).toBe(0);
    const names = await column(page, 'failure-table', 0);
    // HTML, like XML, cannot hold most control characters.
    const held = hostile.map((name) =>
      name
        .replace(/\r\n/g, '\r\n')
        .replace(/(?![\t\n\r])[\p{Control}\p{Surrogate}\uffff]/gu, '\ufffd'),
    );
    expect(names).toEqual(held);
  });

  test.each(['light', 'dark'] as const)(
    'axe finds nothing to object to (%s)',
    async (colorScheme) => {
      for (const [made, width] of [
        [failing, 1280],
        [passingReport, 400],
      ] as const) {
        const { page } = await open(diffHtml([made], facts), { colorScheme, width });
        // Run by the debugger, which the page's own policy does not bind.
        await page.evaluate(readFileSync(axe, 'utf8'));
        const violations: unknown = await page.evaluate(
          "axe.run().then((found) => found.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).slice(0, 3).join(' ')))",
        );
        expect(violations).toEqual([]);
      }
    },
  );

  test('prints whole tables on white paper, without controls', async () => {
    const { page } = await open(diffHtml([failing], facts), { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('nav:visible, input:visible').count()).toBe(0);
    const container = await page.evaluate(`(() => {
      const { scrollHeight, clientHeight } = document.querySelector('.scroll');
      return [scrollHeight - clientHeight, getComputedStyle(document.body).backgroundColor];
    })()`);
    expect(container).toEqual([0, 'rgb(255, 255, 255)']);
  });
});
