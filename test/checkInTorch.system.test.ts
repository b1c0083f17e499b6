import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../src/cli/run.ts';
import { readNpzFile, writeNpz } from '../src/io/numpy/npz.ts';
import { models } from '../src/nn/models/index.ts';
import { tensor, toFloat32 } from '../src/tensor/tensor.ts';
import { pythonHas, pythons } from './support/pythons.ts';
import { follow, scratch, tinyRun } from './trainTinyRun.ts';

const script = fileURLToPath(new URL('../fixtures/check_in_torch.py', import.meta.url));

const cases = pythons.map((python) => ({ python, there: pythonHas(['numpy', 'torch'], python) }));

// The real model: three steps on twenty images, then the files that every run ends with.
describe.skipIf(cases.every(({ there }) => !there))('exported weights in PyTorch', () => {
  let s: ReturnType<typeof scratch>;
  let logits: string;
  beforeAll(async () => {
    s = scratch();
    const settings = { epochs: 1, swaStart: 1 };
    await follow(tinyRun(s.dir, settings, { model: models.vgg16bn.build(10) }));
    logits = join(s.dir, 'logits.npz');
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const flags = `--model vgg16bn --dataset synthetic --logits ${logits}`.split(' ');
    expect(await run(['eval', '--checkpoint', at('vgg16bn-swa.npz'), ...flags])).toBe(0);
    vi.restoreAllMocks();
  }, 240_000);
  afterAll(() => s?.remove());

  const at = (name: string): string => join(s.dir, name);
  const check = (python: string, ...flags: string[]) => {
    const { status, stdout, stderr } = spawnSync(python, [script, ...flags], { encoding: 'utf8' });
    return { status, stdout, text: stdout + stderr };
  };

  it.for(cases)('load strictly and give our logits: $python', ({ python, there }, context) => {
    if (!there) return context.skip();
    const files = ['vgg16bn-swa.safetensors', 'vgg16bn-swa.npz'].map(at);
    const { status, stdout, text } = check(python, ...files, '--logits', logits);
    expect(status, text).toBe(0);
    const one = 'PyTorch .*: vgg16bn loads 97 tensors of .*\\nmax .ours - PyTorch. .*\\nagree\\n';
    expect(stdout).toMatch(new RegExp(`^(${one}){2}$`));
  });

  const [{ python }] = cases.filter(({ there }) => there).concat(cases);

  it('fail where ours differ: exit code 1', () => {
    const ours = readNpzFile(logits).get('logits')!;
    const off = toFloat32(ours).slice();
    off[7] += 0.01;
    writeFileSync(
      at('off.npz'),
      writeNpz(new Map([['logits', tensor('float32', ours.shape, off)]])),
    );
    const { status, text } = check(python, at('vgg16bn-swa.npz'), '--logits', at('off.npz'));
    expect(status, text).toBe(1);
    expect(text).toContain('DIFFER');
  });

  it('are told from a checkpoint in one line: exit code 2', () => {
    const { status, text } = check(python, at('checkpoint-1.safetensors'));
    expect(status, text).toBe(2);
    expect(text).toMatch(/^check_in_torch: .*name exported weights, not a checkpoint\n$/m);
  });
});

it('eval --logits names a file of another kind before it reads anything', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {});
  expect(await run(['eval', '--checkpoint', 'none.npz', '--logits', 'logits.npy'])).toBe(2);
  expect(error.mock.calls.join()).toContain('logits.npy: does not end in .npz; give another name');
  vi.restoreAllMocks();
});
