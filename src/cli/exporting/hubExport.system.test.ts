import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { pythonHas } from '../../../test/support/pythons.ts';
import { openInProcess } from '../../backends/registry.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { readNpyFile } from '../../io/numpy/npy.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { models } from '../../nn/models/index.ts';
import { toFloat32 } from '../../tensor/tensor.ts';
import { readTrainedModel } from '../../train/checkpoint/trainedModel.ts';
import { openDataset } from '../../train/dataset.ts';
import { type Evaluation, evaluate, evaluationPrograms } from '../../train/evaluation/evaluate.ts';
import { run } from '../run.ts';
import { commandTest } from '../testdata/commandTest.ts';

const { dir, printed, errors } = commandTest('hub');
const at = (...names: string[]): string => join(dir, ...names);
const exported = at('vgg16bn-tiny');
const checkpoint = at('run', 'checkpoint-2.safetensors');
const { test: images } = openDataset('synthetic', undefined);
const text = (...names: string[]): string => readFileSync(at(...names), 'utf8');
const exporting = (out: string, ...flags: string[]): Promise<number> =>
  run(['export', '--checkpoint', checkpoint, '--format', 'hf', out, ...flags]);
const withReport = ['--run', at('report')];

let ours: Evaluation;
const right = (of: Pick<Evaluation, 'accuracy'>): number => Math.round(of.accuracy * images.count);

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  const flags =
    '--model VGG16BN --narrow 16 --profile ncpaddle --dataset synthetic --batch-size 16 --epochs 2'.split(
      ' ',
    );
  const swa = '--swa --swa-start 2 --eval-freq 1 --seed 5 --device cpu'.split(' ');
  const out = ['--dir', at('run'), '--report', at('report')];
  expect(await run(['train', ...flags, ...swa, ...out])).toBe(0);
  expect(await exporting(exported, ...withReport)).toBe(0);
  const backend = await openInProcess('ort');
  const { model, weights, settings } = readTrainedModel(exported, {});
  const state = await backend.upload(weights);
  const { preparation } = models[settings.model];
  ours = await evaluate(evaluationPrograms(backend, model), state, images, 64, preparation);
  vi.restoreAllMocks();
}, 180_000);

/** Predictions that are right, and the relative l2 error of logits to ours. */
function compared(logits: ArrayLike<number>): { readonly right: number; readonly error: number } {
  const classes = logits.length / images.count;
  let [same, distance, size] = [0, 0, 0];
  for (let i = 0; i < images.count; i++) {
    const row = Array.from({ length: classes }, (_, c) => logits[i * classes + c]);
    if (row.indexOf(Math.max(...row)) === images.labels[i]) same += 1;
    for (const [c, value] of row.entries()) {
      const own = ours.logits[i * classes + c];
      distance += (value - own) ** 2;
      size += own ** 2;
    }
  }
  return { right: same, error: Math.sqrt(distance / size) };
}

/** Some twenty layers of float32 sums, each made in another order: a few of float32's roundings of 6e-8. */
const rounding = 5e-6;

describe('a directory as the Hub wants it', () => {
  test('holds the files, and their digests are in the card and in config.json', () => {
    const files = readdirSync(exported, { recursive: true, encoding: 'utf8' }).sort();
    expect(files).toEqual([
      'README.md',
      'config.json',
      'model.safetensors',
      'onnx',
      join('onnx', 'model.onnx'),
      'preprocessor_config.json',
    ]);
    const config = JSON.parse(text('vgg16bn-tiny', 'config.json'));
    for (const file of ['model.safetensors', 'onnx/model.onnx']) {
      const digest = sha256Hex(readFileSync(join(exported, file)));
      expect(config.sha256[file]).toBe(digest);
      expect(text('vgg16bn-tiny', 'README.md')).toContain(`| ${file} | \`${digest}\` |`);
    }
    expect(config).toMatchObject({ model_type: 'vgg16bn', narrow: 16, weights: 'swa' });
    expect('id2label' in config).toBe(false); // the synthetic classes are called nothing
  });

  test('its card tells what the run measured, of the data that it was, and how it was made', () => {
    const card = text('vgg16bn-tiny', 'README.md');
    const [, head, body] = /^---\n(.*?)\n---\n(.*)$/s.exec(card)!;
    const front = parse(head);
    const report = JSON.parse(text('report', 'run.json'));
    const last = report.rows.at(-1);
    const [{ results }] = front['model-index'];
    expect(front.pipeline_tag).toBe('image-classification');
    expect(results[0].dataset).toEqual({
      name: 'The synthetic images that come with swa-align',
      type: 'synthetic',
      split: 'test',
    });
    expect(results[0].metrics).toEqual([
      { type: 'accuracy', value: last.swaTestAccuracy / 100 },
      { type: 'loss', value: last.swaTestLoss },
    ]);
    expect(body).toContain('the average by SWA of 1 model');
    expect(body).toContain(
      `| train | ${report.dataset.train.images} | \`${report.dataset.train.sha256}\` |`,
    );
    expect(body).toContain('| `--seed` | 5 |');
    expect(body).toContain(`| node | ${process.versions.node} |`);
    expect(body).not.toMatch(/undefined|NaN|\[object/);
  });

  test('eval says of it what the run has logged', async () => {
    expect(await run(['eval', exported, '--device', 'cpu'])).toBe(0);
    const { rows } = JSON.parse(text('report', 'run.json'));
    const { swaTestLoss, swaTestAccuracy } = rows.at(-1);
    const out = printed.join('');
    expect(out).toMatch(/^swa weights, /);
    expect(out).toContain(`(${swaTestLoss})`);
    expect(out).toContain(`(${swaTestAccuracy} %)`);
    expect((right(ours) / images.count) * 100).toBe(swaTestAccuracy);
  });

  test('onnxruntime, which has nothing but its files, gives our logits and our count', async () => {
    const {
      image_mean: mean,
      image_std: std,
      size,
      rescale_factor: factor,
    } = JSON.parse(text('vgg16bn-tiny', 'preprocessor_config.json'));
    const plane = size.height * size.width;
    const pixels = Float32Array.from(images.images, (value, i) => {
      const channel = Math.floor(i / plane) % mean.length;
      return (value * factor - mean[channel]) / std[channel];
    });
    const session = await ort.InferenceSession.create(join(exported, 'onnx', 'model.onnx'));
    const shape = [images.count, mean.length, size.height, size.width];
    const { logits } = await session.run({ images: new ort.Tensor('float32', pixels, shape) });
    await session.release();
    const found = compared(logits.data as Float32Array);
    expect(found.error).toBeLessThan(rounding);
    expect(found.right).toBe(right(ours));
  });

  test.skipIf(!pythonHas(['numpy', 'torch']))(
    'PyTorch, with a model built from config.json, gives our logits and our count (needs PyTorch)',
    () => {
      const script = `
import json, sys
from pathlib import Path
import numpy as np, torch
sys.path.insert(0, sys.argv[2])
from reference_export import models

home = Path(sys.argv[1])
config = json.loads((home / "config.json").read_text())
raw = (home / "model.safetensors").read_bytes()
start = 8 + int.from_bytes(raw[:8], "little")
types = {"F32": np.float32, "I64": np.int64}
weights = {
    name: torch.from_numpy(np.frombuffer(raw[start:][slice(*of["data_offsets"])], types[of["dtype"]]).reshape(of["shape"]).copy())
    for name, of in json.loads(raw[8:start]).items() if name != "__metadata__"
}
model = models.build(config["model_type"], narrow=config["narrow"], classes=config["num_labels"]).eval()
model.load_state_dict(weights, strict=True)
how = json.loads((home / "preprocessor_config.json").read_text())
records = np.fromfile(sys.argv[3], np.uint8).reshape(-1, 3073)
pixels = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32)) * how["rescale_factor"]
mean, std = (torch.tensor(how[key]).view(1, 3, 1, 1) for key in ("image_mean", "image_std"))
with torch.no_grad():
    np.save(sys.argv[4], model((pixels - mean) / std).numpy())
`;
      const test = join(fixturesDirectory, 'synthetic', 'cifar-10-batches-bin', 'test_batch.bin');
      const of = [exported, fixturesDirectory, test, at('theirs.npy')];
      const { status, stderr } = spawnSync('python3', ['-B', '-c', script, ...of], {
        encoding: 'utf8',
      });
      expect(status, stderr).toBe(0);
      const found = compared(toFloat32(readNpyFile(at('theirs.npy'))));
      expect(found.error).toBeLessThan(rounding);
      expect(found.right).toBe(right(ours));
    },
  );

  test('is left as it is where it is there already, and refused where something else is', async () => {
    const { mtimeMs } = statSync(join(exported, 'config.json'));
    expect(await exporting(exported, ...withReport)).toBe(0);
    expect(printed.join('')).toContain('holds this very export already');
    expect(statSync(join(exported, 'config.json')).mtimeMs).toBe(mtimeMs);
    expect(await exporting(exported, ...withReport, '--weights', 'raw')).toBe(2);
    expect(errors.join('')).toContain('is not empty, and holds something else');
    expect(statSync(join(exported, 'config.json')).mtimeMs).toBe(mtimeMs);
  });

  test('of bare weights says nothing of a run', async () => {
    const of = ['--checkpoint', at('run', 'vgg16bn-swa.safetensors'), '--format', 'hf', at('bare')];
    expect(await run(['export', ...of, '--model', 'vgg16bn', '--narrow', '16'])).toBe(0);
    const card = text('bare', 'README.md');
    expect(card).not.toMatch(/Recipe|Data|accuracy|seed/);
    const config = JSON.parse(text('bare', 'config.json'));
    expect(Object.keys(config).filter((key) => /training|dataset|label$/.test(key))).toEqual([]);
    const bytes = (name: string) => readFileSync(at(name, 'model.safetensors'));
    expect(bytes('bare').equals(bytes('vgg16bn-tiny'))).toBe(true);
  });

  test.each([
    [['--run', 'OTHER'], 'is the report of another run than the checkpoint'],
    [['--fold-bn'], '--format hf writes a directory, of weights as they are'],
    [['--out', 'x.onnx'], '--format hf writes a directory'],
  ])('%j is refused and writes nothing', async (flags, why) => {
    const report = JSON.parse(text('report', 'run.json'));
    report.rows[0].trainLoss += 1;
    writeFileSync(at('other.json'), JSON.stringify(report));
    const words = flags.map((flag) => (flag === 'OTHER' ? at('other.json') : flag));
    expect(await exporting(at('refused'), ...words)).toBe(2);
    expect(errors.join('')).toContain(why);
    expect(existsSync(at('refused'))).toBe(false);
  });
});

describe('an exported directory that is not as it was', () => {
  const changed = async (file: string, change: (bytes: Buffer) => void): Promise<string> => {
    const name = `changed-${file.replace(/\W/g, '-')}`;
    expect(await exporting(at(name))).toBe(0);
    const path = at(name, file);
    const bytes = readFileSync(path);
    change(bytes);
    writeFileSync(path, bytes);
    errors.length = 0;
    expect(await run(['eval', at(name), '--device', 'cpu'])).toBe(2);
    return errors.join('');
  };

  test('weights with a flipped bit are refused', async () => {
    const said = await changed('model.safetensors', (bytes) => {
      bytes[bytes.length - 3] ^= 1;
    });
    expect(said).toContain('model.safetensors: is not the file that config.json was written with');
  });

  test('a damaged config.json is refused by name', async () => {
    const said = await changed('config.json', (bytes) => {
      bytes[0] = 0x5b;
    });
    expect(said).toContain('config.json: is not JSON');
  });

  test('one model named twice, or none, is bad usage', async () => {
    expect(await run(['eval', exported, '--checkpoint', exported])).toBe(2);
    expect(await run(['eval'])).toBe(2);
    expect(errors.join('\n')).toMatch(/two models are named.*no model is named/s);
    errors.length = 0;
    expect(await run(['eval', exported, '--narrow', '8'])).toBe(2);
    expect(errors.join()).toContain('is an export with --narrow 16, not 8');
  });
});
