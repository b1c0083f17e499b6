import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { install, root, say } from './pack.ts';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { tarball, files: packed } = inject('packed');

let dir: string;

const installed = (...path: string[]): string => join(dir, 'node_modules', 'swa-align', ...path);

/** `npx swa-align …`, without npx. */
const swaAlign = (...args: string[]): string =>
  say(process.execPath, [join(dir, 'node_modules', '.bin', 'swa-align'), ...args], dir);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-installed-'));
  writeFileSync(join(dir, 'package.json'), '{ "private": true, "type": "module" }');
  install(dir, tarball);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the package holds the program and no tests', () => {
  expect(packed).toContain('dist/cli/main.js');
  expect(packed).toContain('dist/index.d.ts');
  expect(
    packed.filter((path) =>
      /\.test\.|testdata|__pycache__|\.tsx?$/.test(path.replace(/\.d\.ts$/, '')),
    ),
  ).toEqual([]);
});

test('--version', () => {
  expect(swaAlign('--version').trim()).toBe(version);
});

test('diff loss passes, and compare reads what it wrote', () => {
  expect(swaAlign('diff', 'loss', '--model', 'vgg16', '--device', 'cpu')).toMatch(/✓ loss/);
  const log = swaAlign('compare', 'diff/loss_ts.npy', 'diff/loss_pytorch.npy');
  expect(log).toMatch(/diff check passed/);
});

test('a training of two steps leaves a checkpoint', () => {
  const flags = ['--dataset', 'synthetic', '--batch-size', '8', '--steps', '2', '--device', 'cpu'];
  swaAlign('train', '--dir', 'run', ...flags);
  expect(existsSync(join(dir, 'run', 'checkpoint-0-step-2.safetensors'))).toBe(true);
});

test('bench, the recorder and the Python programs are there', () => {
  const table = swaAlign(
    'bench',
    '--narrow',
    '8',
    '--batch-size',
    '2',
    '--runs',
    '1',
    '--device',
    'cpu',
  );
  expect(table).toMatch(/\| 2 .*ONNX Runtime/);
  expect(swaAlign('recorder')).toBe(readFileSync(join(root, 'fixtures', 'recorder.py'), 'utf8'));
  expect(swaAlign('python')).toMatch(/^check_in_torch /m);
  expect(swaAlign('python', 'check_in_torch').trim()).toBe(
    installed('fixtures', 'check_in_torch.py'),
  );
});

test('what it exports can be imported and is typed', () => {
  writeFileSync(
    join(dir, 'use.ts'),
    `import { type Arrays, compareRecordings, manualSeed, rand, readRecording, type Tensor } from 'swa-align';
const a: Arrays = readRecording('diff/loss_ts.npy');
const loss: Tensor | undefined = a.tensors.get('loss');
if (loss === undefined) throw new Error('no loss');
console.log(compareRecordings(a, a, { methods: ['mean'], threshold: 0 }).passed, rand(manualSeed(0), 1)[0]);\n`,
  );
  // The library's .d.ts files are checked too, as nobody's --skipLibCheck hides a mistake of ours.
  const strict = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--lib',
    'es2023',
    '--types',
    'node',
  ];
  const types = ['--typeRoots', join(root, 'node_modules', '@types')];
  say(join(root, 'node_modules', '.bin', 'tsc'), [...strict, ...types, 'use.ts'], dir);
  // torch.manual_seed(0); torch.rand(1)
  expect(say(process.execPath, ['use.js'], dir).trim()).toMatch(/^true 0\.49625\d+$/);
});

test('every link in its pages leads to a file of the package', () => {
  const pages = packed.filter((path) => path.endsWith('.md'));
  expect(pages).toContain('README.md');
  const broken = pages.flatMap((page) =>
    [...readFileSync(installed(page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, target]) => target)
      .filter((target) => !existsSync(resolve(dirname(installed(page)), target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
});

/** A program of the repository's development packages. */
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

test('publint finds nothing to say about it, suggestions included', () => {
  expect(say(bin('publint'), ['run', tarball, '--strict'], dir)).toMatch(/All good!\s*$/);
});

test('Are The Types Wrong? finds nothing, for ESM and for bundlers: CommonJS is not promised', () => {
  const args = ['--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii'];
  const said = say(bin('attw'), [tarball, ...args], dir);
  for (const name of ['swa-align', 'swa-align/browser', 'swa-align/vitest']) {
    expect(said).toMatch(
      new RegExp(`"${name}"\\s+node16 \\(from ESM\\): 🟢 \\(ESM\\)\\s+bundler: 🟢`),
    );
  }
});
