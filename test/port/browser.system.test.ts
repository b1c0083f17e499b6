import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.ts';
import { hasRecorderTorch } from '../support/pythons.ts';

/* What a program in a browser imports, in a real browser, against what PyTorch computed. */

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Bytes, minified: what a page pays to record and to judge. */
const largest = 100_000;

/** What a page needs that shows no report. */
const judging = ['Recorder', 'fetchReference', 'judge', 'referenceFromFiles'];

/** What is exported, all or only some, as one file. esbuild comes with tsx. */
const bundled = (names?: readonly string[]) =>
  build({
    stdin: {
      contents: `export ${names === undefined ? '*' : `{ ${names.join(', ')} }`} from './browser.ts'`,
      resolveDir: path('../../src'),
    },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    // Left as imports, so that they are found below by name.
    external: ['node:*'],
    logLevel: 'silent',
  });

describe('swa-align/browser as one file', () => {
  it('needs no part of Node', async () => {
    const { outputFiles, metafile } = await bundled();
    const [{ imports, exports }] = Object.values(metafile.outputs);
    expect(imports).toEqual([]);
    expect(outputFiles[0].text).not.toMatch(/["'`]node:/);
    expect(exports).toEqual(expect.arrayContaining([...judging, 'htmlReport']));
  });

  it('is small for programs that only record and judge: the report is left out', async () => {
    const { outputFiles, metafile } = await bundled(judging);
    const [{ exports, inputs }] = Object.values(metafile.outputs);
    expect(exports).toEqual(judging);
    expect(Object.keys(inputs).filter((file) => /report\/(page|chart)\//.test(file))).toEqual([]);
    expect(outputFiles[0].contents.length).toBeLessThanOrEqual(largest);
  });
});

type Swa = typeof import('../../src/browser.ts');

interface Asked {
  /** Where the reference is served; the chosen files where it is left out. */
  readonly folder?: string;
  /** The activation that the port computes. */
  readonly activation: 'tanh' | 'softsign';
}

/** What the page says: of a port, or of a reference that it could not read. */
interface Said {
  readonly passed?: boolean;
  readonly judged: readonly string[];
  readonly diverges: readonly string[];
  readonly missing: readonly string[];
  readonly message: string;
  readonly isInputError?: boolean;
}

/** Runs in the page, alone: reads a reference, computes the network and is judged. */
async function inPage({ folder, activation }: Asked): Promise<Said> {
  const page = globalThis as unknown as {
    swa: Swa;
    document: { querySelector: (selector: string) => { files: Iterable<File> } };
  };
  const { swa } = page;
  const names = (of: readonly { name: string }[]) => of.map(({ name }) => name);
  try {
    const ref =
      folder === undefined
        ? await swa.referenceFromFiles(page.document.querySelector('input').files)
        : await swa.fetchReference(folder);
    const linear = (x: Float32Array, layer: string): Float32Array => {
      const weight = ref.weight(`${layer}.weight`, { layout: 'in,out', dtype: 'float32' });
      const bias = ref.weight(`${layer}.bias`, { dtype: 'float32' }).data;
      const [inside, outside] = weight.shape;
      return Float32Array.from({ length: (x.length / inside) * outside }, (_, i) => {
        const [row, column] = [Math.floor(i / outside), i % outside];
        let sum = bias[column];
        for (let k = 0; k < inside; k++)
          sum += x[row * inside + k] * weight.data[k * outside + column];
        return sum;
      });
    };
    const activations = { tanh: Math.tanh, softsign: (x: number) => x / (1 + Math.abs(x)) };
    const input = ref.input('input', { dtype: 'float32' });
    const [batch] = input.shape;
    const hidden = linear(input.data, 'hidden');
    const act = hidden.map(activations[activation]);
    const out = linear(act, 'out');
    const rec = new swa.Recorder(ref);
    for (const [name, data] of Object.entries({ hidden, act, out })) {
      rec.add(`${name}.output`, { data, shape: [batch, data.length / batch] });
    }
    rec.add('output', { data: out, shape: [batch, out.length / batch] });
    const { passed, verdicts, diverges, missing, message } = swa.judge(rec, ref);
    return { passed, judged: names(verdicts), diverges: names(diverges), missing, message };
  } catch (error) {
    const { message } = error as Error;
    const isInputError = error instanceof swa.InputError;
    return { judged: [], diverges: [], missing: [], message, isInputError };
  }
}

const html = `<!doctype html><meta charset="utf-8"><title>port</title><link rel="icon" href="data:,">
<input type="file" multiple>
<script type="module">import * as swa from './browser.js'; globalThis.swa = swa;</script>`;

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

describe.skipIf(chromiumPath === undefined || !hasRecorderTorch)(
  'a port in a page (needs Chromium and PyTorch 2.1)',
  () => {
    let root: string;
    let server: Server;
    let browser: Browser;
    let page: Page;
    const troubles: string[] = [];

    /** Another folder like `ref`, changed. */
    function changed(name: string, change: (folder: string) => void): void {
      cpSync(join(root, 'ref'), join(root, name), { recursive: true });
      change(join(root, name));
    }

    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), 'swa-align-browser-'));
      const made = spawnSync('python3', [path('mlp.py'), join(root, 'ref')], { encoding: 'utf8' });
      expect(made.status, made.stderr).toBe(0);
      changed('damaged', (folder) => {
        const file = join(folder, 'tensors.safetensors');
        const bytes = readFileSync(file);
        bytes[bytes.length - 1] ^= 1;
        writeFileSync(file, bytes);
      });
      changed('missing', (folder) => unlinkSync(join(folder, 'tensors.safetensors')));
      changed('misspelt', (folder) => {
        const file = join(folder, 'manifest.json');
        const manifest = JSON.parse(readFileSync(file, 'utf8'));
        manifest.probes[4].kind = 'imput';
        writeFileSync(file, JSON.stringify(manifest));
      });
      const { outputFiles } = await bundled();
      writeFileSync(join(root, 'browser.js'), outputFiles[0].contents);
      writeFileSync(join(root, 'index.html'), html);
      server = createServer((request, response) => {
        const file = join(root, new URL(request.url ?? '/', 'http://localhost').pathname);
        if (!existsSync(file)) return response.writeHead(404).end();
        const type = types[extname(file)] ?? 'application/octet-stream';
        return response.writeHead(200, { 'content-type': type }).end(readFileSync(file));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      browser = await chromium.launch({
        executablePath: chromiumPath ?? '',
        args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      });
      page = await browser.newPage();
      page.on('pageerror', (error) => troubles.push(String(error)));
      const { port } = server.address() as AddressInfo;
      await page.goto(`http://127.0.0.1:${port}/index.html`);
      await page.waitForFunction('globalThis.swa !== undefined');
    });
    afterAll(async () => {
      await browser?.close();
      server?.close();
      rmSync(root, { recursive: true, force: true });
    });

    const served = (folder: string, activation: Asked['activation'] = 'tanh') =>
      page.evaluate(inPage, { folder: new URL(folder, page.url()).href, activation });

    const fromChosen = () => page.evaluate<Said, Asked>(inPage, { activation: 'tanh' });

    const all = ['hidden.output', 'act.output', 'out.output', 'output'];

    it('passes where it computes what PyTorch did', async () => {
      const { passed, judged, missing, message } = await served('ref/');
      expect(passed, message).toBe(true);
      expect(judged).toEqual(all);
      expect(missing).toEqual([]);
      expect(troubles).toEqual([]);
    });

    it('is told the tensor that is wrong, and what depends on it', async () => {
      const { passed, judged, diverges, message } = await served('ref', 'softsign');
      expect(passed).toBe(false);
      expect(judged).toEqual(all);
      expect(diverges).toEqual(['act.output']);
      expect(message).toContain('act.output');
      expect(message).toContain('made by act: Tanh()');
    });

    it('reads the files that a person chose', async () => {
      const files = ['manifest.json', 'tensors.safetensors'].map((f) => join(root, 'ref', f));
      const chosen = page.locator('input');
      await chosen.setInputFiles(files);
      const whole = await fromChosen();
      expect(whole.passed, whole.message).toBe(true);
      expect(whole.judged).toEqual(all);

      await chosen.setInputFiles(files.slice(0, 1));
      const half = await fromChosen();
      expect(half.isInputError).toBe(true);
      expect(half.message).toContain('tensors.safetensors is not among them');

      await chosen.setInputFiles([files[0], join(root, 'damaged', 'tensors.safetensors')]);
      const damaged = await fromChosen();
      expect(damaged.isInputError).toBe(true);
      expect(damaged.message).toMatch(/SHA-256 is [0-9a-f]{12}…/);
    });

    it.each([
      ['damaged', /SHA-256 is [0-9a-f]{12}…, the manifest says/, 'tensors.safetensors'],
      ['missing', /the server answers 404/, 'tensors.safetensors'],
      ['nowhere', /the server answers 404/, 'manifest.json'],
      ['misspelt', /probes\.4\.kind: "[^"]*" is not .*"input" \| "draw"/, 'manifest.json'],
    ])('says what is wrong with a reference: %s', async (folder, message, file) => {
      const said = await served(folder);
      expect(said.isInputError).toBe(true);
      expect(said.message).toMatch(message);
      expect(said.message).toContain(`/${folder}/${file}`);
    });
  },
);
