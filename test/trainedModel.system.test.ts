import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { openInProcess } from '../src/backends/registry.ts';
import { readRunReport } from '../src/cli/train/runReportFiles.ts';
import { fixturesDirectory } from '../src/fixtures.ts';
import { readNpyFile } from '../src/io/numpy/npy.ts';
import { writeNpz } from '../src/io/numpy/npz.ts';
import { writeFileAtomic } from '../src/io/output/atomicFile.ts';
import { sha256File } from '../src/io/sha256/sha256File.ts';
import { toFloat32 } from '../src/tensor/tensor.ts';
import { readTrainedModel } from '../src/train/checkpoint/trainedModel.ts';
import { fixedLogits } from '../src/train/evaluation/fixedLogits.ts';
import { pythonHas } from './support/pythons.ts';

/* The trained model that the repository holds as an example: examples/models, and its run in reports/recorded. */

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const name = 'vgg16bn-narrow8-cifar10-jpeg';
const model = at(`examples/models/${name}`);
const report = readRunReport(at(`reports/recorded/${name}`));

const dir = mkdtempSync(join(tmpdir(), 'swa-align-model-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** The fixed images that come with the package. */
const images = join(fixturesDirectory, 'inputs', 'fake_data.npy');
const ours = (async () => {
  const { model: network, weights } = readTrainedModel(model, {});
  return fixedLogits(await openInProcess('ort'), network, weights);
})();

describe('the committed model', () => {
  test('is small, and its files are those of its card', () => {
    const files = readdirSync(model, { recursive: true, encoding: 'utf8' }).map((file) =>
      join(model, file),
    );
    const sizes = files.map((file) => statSync(file)).filter((stat) => stat.isFile());
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(4e6);
    const card = readFileSync(join(model, 'README.md'), 'utf8');
    for (const file of ['model.safetensors', 'onnx/model.onnx']) {
      expect(card).toContain(`| ${file} | \`${sha256File(join(model, file))}\` |`);
    }
  });

  test('is the one of the recorded run: settings, data and accuracy', () => {
    const { settings, rows, dataset } = report;
    const last = rows.at(-1)!;
    const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'));
    expect(config.training).toEqual(settings);
    const card = readFileSync(join(model, 'README.md'), 'utf8');
    const front = parse(card.split('---\n')[1]);
    const [{ dataset: of, metrics }] = front['model-index'][0].results;
    expect(metrics[0]).toEqual({ type: 'accuracy', value: last.swaTestAccuracy! / 100 });
    expect(last.swaTestAccuracy).toBeGreaterThan(60);
    expect(card).toContain(`| test | 10,000 | \`${dataset.test.sha256}\` |`);
    // Its pixels are degraded, so that no number of it is one of CIFAR-10.
    expect(of.name).toMatch(/JPEG/);
    expect(of.type).not.toBe('cifar10');
  });

  test('computes the same in onnxruntime, from the file beside it', async () => {
    const pixels = readNpyFile(images);
    const session = await ort.InferenceSession.create(join(model, 'onnx', 'model.onnx'));
    const fed = { images: new ort.Tensor('float32', toFloat32(pixels), pixels.shape) };
    const found = (await session.run(fed)).logits.data as Float32Array;
    await session.release();
    const mine = toFloat32(await ours);
    const distance = Math.hypot(...mine.map((value, i) => value - found[i]));
    expect(distance / Math.hypot(...mine)).toBeLessThan(5e-6);
  });

  test.skipIf(!pythonHas(['numpy', 'torch']))(
    'computes the same in PyTorch, loaded strictly (needs PyTorch)',
    async () => {
      const logits = join(dir, 'ours.npz');
      writeFileAtomic(logits, writeNpz(new Map([['logits', await ours]])));
      const script = join(fixturesDirectory, 'check_in_torch.py');
      const of = [model, '--logits', logits, '--tolerance', '1e-5'];
      const { status, stdout, stderr } = spawnSync('python3', [script, ...of], {
        encoding: 'utf8',
      });
      expect(status, stdout + stderr).toBe(0);
      expect(stdout).toMatch(/vgg16bn loads 97 tensors/);
    },
  );

  test.skipIf(!pythonHas(['numpy', 'torch']))(
    'loads by the Python of docs/trained-model.md (needs PyTorch)',
    async () => {
      const page = readFileSync(at('docs/trained-model.md'), 'utf8');
      const blocks = [...page.matchAll(/```python\n(.*?)```/gs)].map(([, code]) => code);
      writeFileAtomic(join(dir, 'load.py'), blocks.find((code) => code.includes('def load('))!);
      const use = `
import sys, numpy as np, torch
sys.path.insert(0, sys.argv[1])
from load import load
with torch.no_grad():
    np.save(sys.argv[4], load(sys.argv[2])(torch.from_numpy(np.load(sys.argv[3]))).numpy())
`;
      const theirs = join(dir, 'theirs.npy');
      const { status, stderr } = spawnSync(
        'python3',
        ['-B', '-c', use, dir, model, images, theirs],
        {
          encoding: 'utf8',
        },
      );
      expect(status, stderr).toBe(0);
      const [mine, found] = [toFloat32(await ours), toFloat32(readNpyFile(theirs))];
      const distance = Math.hypot(...mine.map((value, i) => value - found[i]));
      expect(distance / Math.hypot(...mine)).toBeLessThan(5e-6);
    },
  );
});
