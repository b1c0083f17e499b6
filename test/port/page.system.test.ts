import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.ts';
import { hasRecorderTorch } from '../support/pythons.ts';
import { type Block, blocksOf } from './markdownBlocks.ts';

/* docs/judge-your-port.md word by word: its files are saved under its names, its commands run, its outputs compared. */

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const page = readFileSync(path('docs/judge-your-port.md'), 'utf8');
const blocks = blocksOf(page);

/** Its numbers depend on PyTorch's version and the processor; how many tensors there are does not. */
const shape = (text: string): string =>
  text.trim().replaceAll(/-?\d+\.\d+(e[+-]?\d+)?|\b\d+(\.\d+)?e[+-]?\d+/g, '#');

const named = (file: string): Block => {
  const found = blocks.find((block) => block.file === file);
  if (found === undefined) throw new Error(`the page saves no ${file}`);
  return found;
};

/** Blocks without a language: what the page says that its commands print. */
const outputs = blocks.filter(({ language }) => language === '').map(({ text }) => text);

it('the page saves a file under each name that its commands and imports use', () => {
  const saved = blocks.flatMap(({ file }) => file ?? []);
  expect(saved).toEqual([
    'record.py',
    'port.ts',
    'save.ts',
    'tensorflow.ts',
    'map.json',
    'other.ts',
    'port.test.ts',
    'index.html',
    'page.ts',
  ]);
  const used = blocks.flatMap(({ text }) =>
    [...text.matchAll(/from '\.\/(\S+)'|src="(\S+)"/g)].map((match) => match[1] ?? match[2]),
  );
  expect(saved).toEqual(expect.arrayContaining(used));
});

describe.skipIf(!hasRecorderTorch)('the page, followed (needs PyTorch 2.1)', () => {
  let dir: string;
  let recorded: string;
  const node = (argv: string[], env = {}) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, argv, {
      cwd: dir,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    return { stdout, status, all: `${stdout}${stderr}` };
  };
  const tsx = ['--import', 'tsx'];
  const swaAlign = (command: string) =>
    node([...tsx, path('src/cli/main.ts'), ...command.split(' ').slice(2)]);
  const save = (mistake: boolean) => node([...tsx, 'save.ts'], mistake ? { MISTAKE: '1' } : {});
  const judging = blocks.find(({ language, text }) => language === 'sh' && / judge /.test(text))!;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'swa-align-page-'));
    // As if it were installed.
    symlinkSync(path('node_modules'), join(dir, 'node_modules'));
    const entries = { '': 'index', '/browser': 'browser', '/vitest': 'vitest' };
    const sources = Object.entries(entries).map(
      ([name, file]) => [`swa-align${name}`, path(`src/${file}.ts`)] as const,
    );
    const paths = Object.fromEntries(sources.map(([name, file]) => [name, [file]]));
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions: { paths } }));
    const alias = sources.map(([name, replacement]) => ({ find: name, replacement })).toReversed();
    writeFileSync(
      join(dir, 'vitest.config.ts'),
      `export default { resolve: { alias: ${JSON.stringify(alias)} } };`,
    );
    for (const { file, text } of blocks)
      if (file !== undefined) writeFileSync(join(dir, file), text);
    const { stdout } = swaAlign('npx swa-align recorder');
    writeFileSync(join(dir, 'recorder.py'), stdout);
    const python = spawnSync('python3', ['record.py'], { cwd: dir, encoding: 'utf8' });
    expect(python.status, python.stderr).toBe(0);
    recorded = python.stdout;
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('records, saves, judges, and names the mistake, as it says', () => {
    expect(recorded).toBe(outputs[0]);

    expect(save(false)).toEqual({ stdout: '', status: 0, all: '' });
    const right = swaAlign(judging.text.trim());
    expect([right.stdout, right.status]).toEqual([outputs[1], 0]);

    expect(page).toContain('`MISTAKE=1 npx tsx save.ts`');
    expect(save(true).status).toBe(0);
    const wrong = swaAlign(judging.text.trim());
    expect(shape(wrong.stdout)).toBe(shape(outputs[2]));
    expect(wrong.status).toBe(1);
  }, 120_000);

  it('computes the same in TensorFlow.js', () => {
    const { all, status } = node([...tsx, 'tensorflow.ts']);
    expect(status, all).toBe(0);
    const judged = swaAlign(judging.text.trim());
    expect([judged.stdout, judged.status]).toEqual([outputs[1], 0]);
  }, 120_000);

  it('takes its map', () => {
    expect(named('map.json').language).toBe('json');
    expect(save(false).status).toBe(0);
    const { all, status } = swaAlign(`${judging.text.trim()} --map map.json`);
    // Of another network: an entry that fits no tensor is refused.
    expect(all).toMatch(/^swa-align: map\.json: the entry of "\S+" names no tensor/);
    expect(status).toBe(2);
  }, 60_000);

  it('has a map proposed', () => {
    const naming = blocks.find(({ language, text }) => language === 'sh' && / names /.test(text))!;
    expect(page).toContain('`MISTAKE=1 npx tsx other.ts`');
    expect(node([...tsx, 'other.ts'], { MISTAKE: '1' }).all).toBe('');
    const { stdout, status } = swaAlign(naming.text.trim());
    expect(shape(stdout)).toBe(shape(outputs[3]));
    expect(status).toBe(0);
  }, 60_000);

  it('has a test that passes, and fails with the mistake', () => {
    const vitest = (env = {}) => node([path('node_modules/vitest/vitest.mjs'), 'run'], env);
    const right = vitest();
    expect(right.status, right.all).toBe(0);
    expect(right.all).toContain('1 passed');
    const wrong = vitest({ MISTAKE: '1' });
    expect(wrong.status, wrong.all).toBe(1);
    expect(wrong.all).toContain('made by 1: Tanh()');
  }, 120_000);

  it.skipIf(chromiumPath === undefined)(
    'has a page that says so too (needs Chromium)',
    async () => {
      const { outputFiles } = await build({
        entryPoints: [join(dir, 'page.ts')],
        alias: { 'swa-align/browser': path('src/browser.ts') },
        bundle: true,
        write: false,
        format: 'esm',
        platform: 'browser',
      });
      const server = createServer((request, response) => {
        const name = (request.url ?? '/') === '/' ? '/index.html' : request.url!;
        if (name === '/page.ts')
          return response
            .writeHead(200, { 'content-type': 'text/javascript' })
            .end(outputFiles[0].text);
        const file = join(dir, name);
        if (!existsSync(file)) return response.writeHead(404).end();
        const type = name.endsWith('.html') ? 'text/html' : 'application/octet-stream';
        return response.writeHead(200, { 'content-type': type }).end(readFileSync(file));
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      const browser = await chromium.launch({
        executablePath: chromiumPath ?? '',
        args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      });
      try {
        const shown = await browser.newPage();
        const { port } = server.address() as AddressInfo;
        await shown.goto(`http://127.0.0.1:${port}/`);
        await shown.waitForFunction('document.querySelector("pre").textContent !== ""');
        const said = '1 tensor aligned with PyTorch';
        expect(page).toContain(`The page says \`${said}\``);
        expect(await shown.textContent('pre')).toBe(said);
        await shown.frameLocator('iframe').getByText('0.output').first().waitFor();
      } finally {
        await browser.close();
        server.close();
      }
    },
    120_000,
  );
});
