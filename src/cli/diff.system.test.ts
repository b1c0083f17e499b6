import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, it, vi } from 'vitest';
import { pythonWith } from '../../test/support/pythons.ts';
import { weightsFromSeed } from '../align/reference/seedWeights.ts';
import { fixturesDirectory } from '../fixtures.ts';
import { writeNpz } from '../io/numpy/npz.ts';
import { readRecording } from '../io/recording.ts';
import { models } from '../nn/models/index.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';

const { dir, printed, errors } = commandTest('diff');
const out = join(dir, 'out');

const logLine = /^\[\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\] root INFO: /;

describe('diff', () => {
  it('passes forward and loss, and writes the logs and recordings of the original port', async () => {
    const json = join(dir, 'report.json');
    expect(
      await run(['diff', 'forward', 'loss', '--model', 'VGG16', '--out', out, '--json', json]),
    ).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      'diff.html',
      'diff.md',
      'forward_diff.log',
      'forward_pytorch.npy',
      'forward_ts.npy',
      'loss_diff.log',
      'loss_pytorch.npy',
      'loss_ts.npy',
    ]);
    const log = readFileSync(join(out, 'loss_diff.log'), 'utf8').trimEnd().split('\n');
    expect(log.every((line) => logLine.test(line))).toBe(true);
    const text = log.map((line) => line.replace(logLine, ''));
    expect(text.at(-1)).toBe('diff check passed');
    expect(text).toContain('loss: ');
    expect(text.some((l) => /^\tmean diff: check passed: True, value: [\d.e-]+$/.test(l))).toBe(
      true,
    );
    expect(text.some((l) => /^method: mean diff = .*threshold 1e-06$/.test(l))).toBe(true);
    expect(text.some((l) => /^input: inputs\/fake_data.npy sha256 [0-9a-f]{64}$/.test(l))).toBe(
      true,
    );

    const logits = readRecording(join(out, 'forward_ts.npy')).tensors.get('logits')!;
    expect(logits.shape).toEqual([30, 10]);
    const report = JSON.parse(readFileSync(json, 'utf8'));
    expect(report.passed).toBe(true);
    expect(report.models[0].stages.map((s: { stage: string }) => s.stage)).toEqual([
      'forward',
      'loss',
    ]);
  });

  it('fails, with exit code 1 and the tensor named, on weights that differ in one bit', async () => {
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    const weights = new Map<string, Tensor>(weightsFromSeed(models.vgg16.build(10), 0));
    const changed = weights.get('classifier.4.weight')!;
    const bits = new Uint32Array(changed.data.buffer);
    bits[1234] ^= 1;
    const file = join(dir, 'changed.npz');
    writeFileSync(file, writeNpz(weights));
    const failed = join(dir, 'failed');
    const [page, junit] = [join(dir, 'page'), join(dir, 'new directory', 'junit.xml')];
    const argv = ['diff', 'loss', '--model', 'vgg16', '--weights', file, '--out', failed];
    expect(await run([...argv, '--report', page, '--junit', junit])).toBe(1);
    expect(printed.join('')).toContain('classifier.4.weight');
    expect(printed.filter((line) => line.startsWith('::'))).toEqual([
      expect.stringMatching(
        /^::error title=vgg16 loss%3A initial weights::initial weights: .*classifier\.4\.weight\)\n$/,
      ),
    ]);
    expect(readdirSync(page).sort()).toEqual(['diff.html', 'diff.md']);
    expect(existsSync(join(failed, 'diff.html'))).toBe(false);
    expect(readFileSync(join(page, 'diff.md'), 'utf8')).toContain('1 of 1 stage failed');
    expect(readFileSync(join(page, 'diff.html'), 'utf8')).toContain(
      `swa-align diff loss --model vgg16 --weights ${file} --out ${failed} --junit '${junit}' --report ${page}`,
    );
    const xml = new XMLParser({ ignoreAttributes: false }).parse(readFileSync(junit, 'utf8'));
    expect(xml.testsuites).toMatchObject({ '@_tests': '2', '@_failures': '1' });
    expect(readFileSync(join(failed, 'loss_diff.log'), 'utf8')).toContain('diff check failed');
  });

  it('writes no page where none is wanted, and no annotation outside GitHub', async () => {
    vi.stubEnv('GITHUB_ACTIONS', '');
    const bare = join(dir, 'bare');
    expect(await run(['diff', 'loss', '--model', 'vgg16', '--out', bare, '--no-report'])).toBe(0);
    expect(readdirSync(bare).every((name) => name.startsWith('loss_'))).toBe(true);
    expect(printed.join('')).not.toMatch(/report in|::error/);
  });

  const python = pythonWith('numpy');
  it.skipIf(python === undefined)('writes recordings that np.load opens (needs NumPy)', () => {
    const script =
      'import numpy,sys; print(numpy.load(sys.argv[1], allow_pickle=True).item()["logits"].shape)';
    const { stdout } = spawnSync(python!, ['-c', script, join(out, 'forward_ts.npy')]);
    expect(stdout.toString().trim()).toBe('(30, 10)');
  });
});

describe('bad input to diff', () => {
  /** A copy of the reference, so that it can be damaged. */
  function copyOfReference(): { root: string; reference: string } {
    const root = mkdtempSync(join(dir, 'copy-'));
    cpSync(join(fixturesDirectory, 'inputs'), join(root, 'inputs'), { recursive: true });
    const reference = join(root, 'reference', 'vgg16');
    cpSync(join(fixturesDirectory, 'reference', 'vgg16'), reference, { recursive: true });
    return { root, reference };
  }

  async function refused(argv: string[]): Promise<string> {
    const target = join(dir, 'untouched');
    expect(await run(['diff', ...argv, '--out', target])).toBe(2);
    expect(existsSync(target), 'nothing may be written').toBe(false);
    expect(errors).toHaveLength(1);
    expect(errors[0].split('\n')).toHaveLength(1);
    return errors[0];
  }

  it('an unknown stage, model, backend or flag', async () => {
    expect(await refused(['sideways'])).toContain('sideways');
    errors.length = 0;
    expect(await refused(['--model', 'VGG17'])).toContain('VGG17');
    errors.length = 0;
    expect(await refused(['--backend', 'abacus'])).toContain('abacus');
    errors.length = 0;
    expect(await refused(['--frobnicate'])).toContain('--frobnicate');
  });

  it('a file where the reports’ directory should be, a directory where a file', async () => {
    const file = join(dir, 'a file');
    writeFileSync(file, 'mine');
    expect(await refused(['loss', '--report', file])).toContain('--report');
    expect(readFileSync(file, 'utf8')).toBe('mine');
    errors.length = 0;
    expect(await refused(['loss', '--junit', dir])).toContain('--junit');
    errors.length = 0;
    expect(await refused(['loss', '--json', dir])).toContain('--json');
  });

  it('a missing reference, or one of another model', async () => {
    expect(await refused(['--reference', join(dir, 'nowhere')])).toContain('nowhere');
    errors.length = 0;
    const bn = join(fixturesDirectory, 'reference', 'vgg16bn');
    expect(await refused(['--model', 'vgg16', '--reference', bn])).toContain('vgg16bn');
  });

  it('a truncated npy', async () => {
    const { root, reference } = copyOfReference();
    truncateSync(join(root, 'inputs', 'fake_data.npy'), 5000);
    const line = await refused(['forward', '--reference', reference]);
    expect(line).toContain('fake_data.npy');
  });

  it('another array under the right name', async () => {
    const { reference } = copyOfReference();
    copyFileSync(join(reference, 'loss.npz'), join(reference, 'forward.npz'));
    expect(await refused(['forward', '--reference', reference])).toContain('forward.npz');
  });

  it('a manifest that is no manifest', async () => {
    const { reference } = copyOfReference();
    writeFileSync(join(reference, 'manifest.json'), '{"format": "something else"}');
    expect(await refused(['forward', '--reference', reference])).toContain('manifest.json');
  });

  it('weights in an unknown format', async () => {
    const file = join(dir, 'weights.bin');
    writeFileSync(file, 'not weights');
    expect(await refused(['loss', '--model', 'vgg16', '--weights', file])).toContain('weights.bin');
  });

  it('passes a whole run on the float64 oracle, whose weights are the same numbers in other bytes', async () => {
    const flags = ['--model', 'vgg16bn', '--backend', 'oracle', '--out', join(dir, 'oracle')];
    expect(await run(['diff', 'epochs', ...flags])).toBe(0);
    expect(printed.join('')).toMatch(
      /✓ epochs +[1-9]\d* checked, [1-9]\d* of them to the bit, 0 failed/,
    );
  }, 60_000);

  it('puts backends side by side, with the graph that PyTorch exports among them', async () => {
    const many = join(dir, 'many');
    const argv = ['diff', 'forward', 'loss', '--model', 'vgg16', '--out', many];
    expect(await run([...argv, '--backends', 'ort'])).toBe(0);
    const matrix = JSON.parse(readFileSync(join(many, 'backends.json'), 'utf8'));
    const [{ rows, pairs }] = matrix.models;
    expect(rows.map(({ name }: { name: string }) => name)).toEqual([
      'ort',
      'ort, PyTorch’s export',
    ]);
    expect(rows[0].cells.map(({ stage }: { stage: string }) => stage)).toEqual(['forward', 'loss']);
    expect(rows[1].cells[0].toTruth.relativeL2).toBeLessThan(5e-6);
    expect(pairs).toHaveLength(1);
    expect(printed.join('')).toContain('| ort | forward | yes |');
    expect(printed.join('')).toContain('all 3 stages passed; logs in ');
  });

  it('refuses to leave out a backend that was named', async () => {
    const argv = ['diff', 'loss', '--model', 'vgg16', '--out', join(dir, 'none')];
    expect(await run([...argv, '--backends', 'ort,abacus'])).toBe(2);
    expect(errors.join('')).toContain('there is no backend "abacus"');
    expect(existsSync(join(dir, 'none'))).toBe(false);
  });
});
