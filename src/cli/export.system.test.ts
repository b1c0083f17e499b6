import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pythonHas } from '../../test/support/pythons.ts';
import { openInProcess } from '../backends/registry.ts';
import { readNpyFile } from '../io/numpy/npy.ts';
import { writeNpz } from '../io/numpy/npz.ts';
import { sha256Hex } from '../io/sha256/sha256.ts';
import { readWeights } from '../io/weights.ts';
import { models } from '../nn/models/index.ts';
import { initPlan, type Module } from '../nn/module.ts';
import {
  bytesOf,
  type Tensor,
  type TensorMap,
  toFloat32,
  toFloat64,
  zeros,
} from '../tensor/tensor.ts';
import { manualSeed } from '../torch/generator.ts';
import { initialise } from '../torch/initialise.ts';
import { uniform } from '../torch/uniform.ts';
import { fixedLogits } from '../train/evaluation/fixedLogits.ts';
import { stateDict } from '../train/stateDict.ts';
import { run } from './run.ts';

const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url));

const hasTorch = pythonHas(['numpy', 'torch']);

/** A tensor's bits, to be compared at once and not number by number. */
const bitsOf = (t: Tensor) => ({ dtype: t.dtype, shape: t.shape, sha256: sha256Hex(bytesOf(t)) });

/** Drawn weights, with batch norms as if they had seen something: norms after convolutions, and others. */
function usedWeights(model: Module): TensorMap {
  const g = manualSeed(9);
  const weights = new Map<string, Tensor>(initialise(initPlan(model), g));
  for (const { name, shape } of model.state) {
    if (shape.length > 1) continue;
    const values = zeros('float32', shape);
    uniform(g, values.data, 0.8, 1.2);
    weights.set(name, values);
  }
  return weights;
}

describe('export', () => {
  const dir = mkdtempSync(join(tmpdir(), 'export-'));
  let logits: Tensor;
  let errors: string[] = [];
  let printed: string[] = [];
  const at = (name: string): string => join(dir, name);
  const exported = (name: string, ...flags: string[]): Promise<number> =>
    run(['export', '--checkpoint', at('in.npz'), '--out', at(name), ...bare, ...flags]);
  const bare = ['--model', 'PreResNet110'];

  beforeAll(async () => {
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
    vi.spyOn(console, 'error').mockImplementation((line: string) => errors.push(line));
    const model = models.preresnet110.build(10);
    const weights = usedWeights(model);
    writeFileSync(at('in.npz'), writeNpz(stateDict(model, weights, 1)));
    const backend = await openInProcess('ort');
    logits = await fixedLogits(backend, model, weights);
  }, 120_000);
  afterAll(() => {
    vi.restoreAllMocks();
    rmSync(dir, { recursive: true });
  });

  const relativeError = (found: Tensor): number => {
    const [a, b] = [toFloat64(found), toFloat64(logits)];
    return Math.hypot(...a.map((v, i) => v - b[i])) / Math.hypot(...b);
  };

  it.each([
    { name: 'plain.onnx', flags: [] },
    { name: 'folded.onnx', flags: ['--fold-bn'] },
  ])('to $name gives the logits of eval', async ({ name, flags }) => {
    expect(await exported(name, ...flags)).toBe(0);
    const session = await ort.InferenceSession.create(at(name));
    const images = readNpyFile(join(fixtures, 'inputs', 'fake_data.npy'));
    const feeds = { images: new ort.Tensor('float32', toFloat32(images), images.shape) };
    const found = (await session.run(feeds)).logits;
    await session.release();
    const error = relativeError({
      dtype: 'float32',
      shape: found.dims,
      data: found.data as Float32Array,
    });
    expect(error).toBeLessThan(1e-5);
  });

  it.skipIf(!pythonHas(['onnx']))(
    'to ONNX passes onnx.checker (needs the onnx package)',
    async () => {
      expect(await exported('checked.onnx', '--fold-bn')).toBe(0);
      const check = 'import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True)';
      const { status, stderr } = spawnSync('python3', ['-c', check, at('checked.onnx')]);
      expect(status, stderr.toString()).toBe(0);
    },
  );

  it.each(['safetensors', 'npz', 'pt'])('to .%s holds the same state_dict', async (format) => {
    expect(await exported(`weights.${format}`)).toBe(0);
    const found = readWeights(at(`weights.${format}`)).tensors;
    const expected = readWeights(at('in.npz')).tensors;
    expect([...found.keys()]).toEqual([...expected.keys()]);
    for (const [name, value] of expected) {
      if (!name.endsWith('num_batches_tracked'))
        expect(bitsOf(found.get(name)!)).toEqual(bitsOf(value));
    }
  });

  it.skipIf(!hasTorch)(
    'of a checkpoint that the SWA authors would have saved: the average, or the raw weights (needs PyTorch)',
    async () => {
      const save = `
import collections, sys, numpy as np, torch
raw = {k: torch.from_numpy(v) for k, v in np.load(sys.argv[1]).items()}
swa = {f'module.{k}': v + 1 if v.is_floating_point() else v for k, v in raw.items()}
checkpoint = {'epoch': 300, 'state_dict': raw, 'swa_state_dict': swa, 'swa_n': 7,
    'optimizer': {'state': {0: {'momentum_buffer': torch.ones(2)}}, 'counter': collections.Counter('ab')}}
torch.save(checkpoint, sys.argv[2])
torch.save({**checkpoint, 'swa_n': 0}, sys.argv[3])
`;
      const paths = [at('in.npz'), at('checkpoint-300.pth.tar'), at('early.ckpt')];
      const saved = spawnSync('python3', ['-c', save, ...paths], { encoding: 'utf8' });
      expect(saved.status, saved.stderr).toBe(0);
      const raw = readWeights(at('in.npz')).tensors;
      const first = async (file: string, ...flags: string[]): Promise<[number, string]> => {
        printed = [];
        const from = ['--checkpoint', at(file), '--out', at('theirs.npz'), ...bare, ...flags];
        expect(await run(['export', ...from])).toBe(0);
        const found = readWeights(at('theirs.npz')).tensors;
        expect([...found.keys()]).toEqual([...raw.keys()]);
        const difference = toFloat64(found.get('fc.bias')!)[0] - toFloat64(raw.get('fc.bias')!)[0];
        return [difference, printed.join('')];
      };
      const [swa, said] = await first('checkpoint-300.pth.tar');
      expect(swa).toBeCloseTo(1, 5);
      expect(said).toContain(
        "the weights are those of 'swa_state_dict'; there is also 'state_dict'",
      );
      expect(said).toContain("'module.' removed from the names of the weights");
      expect(said).toContain('PreResNet110, swa weights, as npz');
      expect((await first('checkpoint-300.pth.tar', '--weights', 'swa'))[0]).toBeCloseTo(1, 5);
      expect((await first('checkpoint-300.pth.tar', '--weights', 'raw'))[0]).toBe(0);
      const [early, why] = await first('early.ckpt');
      expect(early).toBe(0);
      expect(why).toContain('PreResNet110, raw weights, as npz');
      errors = [];
      const none = ['--checkpoint', at('early.ckpt'), '--out', at('none.npz'), '--weights', 'swa'];
      expect(await run(['export', ...none, ...bare])).toBe(2);
      expect(errors.join()).toContain('early.ckpt: holds no average yet; give --weights raw');
    },
  );

  it.skipIf(!hasTorch)(
    'loads in PyTorch, becomes TorchScript and gives our logits (needs PyTorch)',
    { timeout: 120_000 },
    async () => {
      expect(await exported('model.pt')).toBe(0);
      const script = [
        join(fixtures, 'load_in_torch.py'),
        at('model.pt'),
        '--script',
        at('script.pt'),
      ];
      const saved = spawnSync('python3', script, { encoding: 'utf8' });
      expect(saved.stdout, saved.stderr).toMatch(/^preresnet110 as TorchScript in .*script\.pt\n$/);
      const use = `
import sys, numpy as np, torch
model = torch.jit.load(sys.argv[1])
with torch.no_grad():
    np.save(sys.argv[3], model(torch.from_numpy(np.load(sys.argv[2]))).numpy())
`;
      const files = [at('script.pt'), join(fixtures, 'inputs', 'fake_data.npy'), at('theirs.npy')];
      const used = spawnSync('python3', ['-c', use, ...files], { encoding: 'utf8' });
      expect(used.status, used.stderr).toBe(0);
      expect(relativeError(readNpyFile(at('theirs.npy')))).toBeLessThan(1e-5);
    },
  );

  it('to .pth as to .pt', async () => {
    for (const name of ['a.pt', 'a.PTH']) expect(await exported(name)).toBe(0);
    expect(readFileSync(at('a.PTH')).equals(readFileSync(at('a.pt')))).toBe(true);
  });

  it.each([
    [['model.tflite'], 'there is no format "tflite"'],
    [['model'], 'model: its name does not say the format; give --format'],
    [['model.onnx', '--format', 'pt-script'], 'there is no format "pt-script"'],
    [['model.npz', '--fold-bn'], '--fold-bn is for ONNX'],
    [['model.onnx', '--weights', 'swa'], 'holds one set of weights'],
  ])('of %j is bad usage and writes nothing', async ([name, ...flags], why) => {
    errors = [];
    expect(await exported(name, ...flags)).toBe(2);
    expect(errors.join()).toContain(why);
    expect(existsSync(at(name))).toBe(false);
  });
});

it('a file of another model is refused by name', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'export-'));
  const error = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const file = join(dir, 'weights.npz');
    const one = { dtype: 'float32', shape: [1], data: Float32Array.of(1) } as const;
    writeFileSync(file, writeNpz(new Map([['conv1.weight', one]])));
    const flags = ['--checkpoint', file, '--out', join(dir, 'x.onnx'), '--model', 'PreResNet164'];
    expect(await run(['export', ...flags])).toBe(2);
    expect(error.mock.calls.join()).toMatch(/weights\.npz: lacks \S+ and \d+ more/);
    expect(existsSync(join(dir, 'x.onnx'))).toBe(false);
  } finally {
    vi.restoreAllMocks();
    rmSync(dir, { recursive: true });
  }
});
