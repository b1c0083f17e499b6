import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { commandTest } from '../../src/cli/testdata/commandTest.ts';
import { readRecording } from '../../src/io/recording.ts';
import { writeSafetensors } from '../../src/io/safetensors/safetensors.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';
import { hasRecorderTorch } from '../support/pythons.ts';
import { recordingsOf } from '../support/recordings.ts';

const script = fileURLToPath(new URL('networks.py', import.meta.url));

describe.skipIf(!hasRecorderTorch)('swa-align judge (needs PyTorch 2.1)', () => {
  const { dir, printed, errors } = commandTest('judge');
  let all: string;
  beforeAll(async () => {
    all = await recordingsOf(script);
  });

  const judge = async (ours: string, ...flags: string[]): Promise<number> => {
    printed.length = 0;
    errors.length = 0;
    return run(['judge', ours, '--reference', join(all, 'lstm'), ...flags]);
  };
  const lstm = (): Map<string, Tensor> => new Map(readRecording(join(all, 'lstm.npz')).tensors);
  const save = (tensors: Map<string, Tensor>): string => {
    const path = join(dir, 'ours.safetensors');
    writeFileSync(path, writeSafetensors(tensors));
    return path;
  };

  it('passes what is right, and says what was not recorded', async () => {
    expect(await judge(join(all, 'lstm.npz'), '--partial'), errors.join('')).toBe(0);
    expect(printed.join('')).toMatch(/^\d\d tensors aligned with PyTorch$/m);
    expect(await judge(join(all, 'lstm.npz'))).toBe(1);
    expect(printed.join('')).toContain(
      'probes not recorded, which --partial (partial: true) allows',
    );
  });

  it('writes every report of what is wrong, the layer named in each', async () => {
    const file = (name: string): string => join(dir, name);
    const flags = ['json', 'junit', 'html', 'markdown', 'log', 'terminal', 'annotations'].flatMap(
      (name) => ['--reporter', `${name}=${file(`report.${name}`)}`],
    );
    expect(await judge(join(all, 'lstm.wrong.npz'), '--partial', ...flags)).toBe(1);
    for (const name of ['json', 'junit', 'html', 'markdown', 'terminal', 'annotations']) {
      expect(readFileSync(file(`report.${name}`), 'utf8'), name).toContain('LSTM(8, 12');
    }
    expect(readFileSync(file('report.log'), 'utf8')).toContain('lstm.output.0');
  });

  it('fails a NaN, another shape and another type, each by name', async () => {
    const tensors = lstm();
    const head = tensors.get('head.output')!;
    const nothing = new Float32Array(head.data.length).fill(Number.NaN);
    tensors.set('head.output', tensor('float32', head.shape, nothing));
    tensors.set('loss', tensor('int32', [], Int32Array.of(1)));
    tensors.set('embed.output', tensor('float32', [2], new Float32Array(2)));
    expect(await judge(save(tensors), '--partial')).toBe(1);
    const said = printed.join('');
    expect(said).toMatch(/embed\.output[\s\S]*shape \[2\] against \[3, 7, 8\]/);
    expect(await judge(save(tensors), '--partial', '--only', 'loss')).toBe(1);
    expect(printed.join('')).toContain('dtype int32 against float32');
    expect(await judge(save(tensors), '--partial', '--only', 'head.output')).toBe(1);
    expect(printed.join('')).toContain('is NaN');
  });

  it('renames by a map', async () => {
    const tensors = new Map([...lstm()].map(([name, t]) => [`my/${name}`, t]));
    const path = save(tensors);
    const map = join(dir, 'map.json');
    const write = (names: unknown): void =>
      writeFileSync(map, JSON.stringify({ format: 'swa-align-names/1', names }));
    write([
      { ours: 'my/*lstm.output.1.1', probe: '*lstm.output.1.0' },
      { ours: 'my/*', probe: '*' },
    ]);
    expect(await judge(path, '--map', map, '--partial')).toBe(2);
    expect(errors.join('')).toMatch(/are both lstm\.output\.1\.0/);
    write([{ ours: 'my/*', probe: '*' }]);
    expect(await judge(path, '--map', map, '--partial'), errors.join('')).toBe(0);
    write([
      { ours: 'my/*', probe: '*' },
      { ours: 'yours', probe: 'loss' },
    ]);
    expect(await judge(path, '--map', map, '--partial')).toBe(2);
    expect(errors.join('')).toContain('"yours" names no tensor of the recording');
  });

  it('ends bad input in one line', async () => {
    const ours = join(all, 'lstm.npz');
    const none = save(new Map([['los', tensor('float32', [], Float32Array.of(1))]]));
    expect(await judge(none)).toBe(2);
    expect(errors.join('')).toMatch(/no probe in common.*did you mean loss\?/);
    expect(await judge(ours, '--only', 'encoder.*')).toBe(2);
    expect(errors.join('')).toContain('"encoder.*" matches no probe');

    const report = join(dir, 'kept.json');
    writeFileSync(report, 'kept');
    const damaged = join(dir, 'damaged');
    cpSync(join(all, 'lstm'), damaged, { recursive: true });
    const bytes = readFileSync(join(damaged, 'tensors.safetensors'));
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(join(damaged, 'tensors.safetensors'), bytes);
    expect(await run(['judge', ours, '--reference', damaged, '--json', report])).toBe(2);
    expect(errors.join('')).toMatch(/SHA-256 is .* another or a damaged file/);
    expect(readFileSync(report, 'utf8')).toBe('kept');

    expect(await run(['judge', ours, '--reference', join(dir, 'nowhere')])).toBe(2);
    expect(errors.at(-1)).toContain('there is no such reference');
    expect(errors.join('')).not.toMatch(/\n\s+at /);
  });

  it('names the file that is missing or no such file, in one line, and writes nothing', async () => {
    const ours = join(all, 'lstm.npz');
    const [broken, report] = [join(dir, 'broken'), join(dir, 'kept.txt')];
    const [manifest, tensors] = ['manifest.json', 'tensors.safetensors'].map((f) =>
      join(broken, f),
    );
    const map = join(dir, 'bad.json');
    const good = readFileSync(join(all, 'lstm', 'manifest.json'), 'utf8');
    const says = async (what: RegExp, ...argv: string[]): Promise<void> => {
      writeFileSync(report, 'kept');
      errors.length = 0;
      const flags = argv.length > 0 ? argv : [ours];
      expect(
        await run(['judge', ...flags, '--reference', broken, '--reporter', `html=${report}`]),
      ).toBe(2);
      expect(errors.join('\n')).toMatch(what);
      expect(errors.join('\n').trim().split('\n')).toHaveLength(1);
      expect(readFileSync(report, 'utf8')).toBe('kept');
    };
    cpSync(join(all, 'lstm'), broken, { recursive: true });
    writeFileSync(map, '{');
    await says(/bad\.json: is not JSON; docs\/judge-your-port\.md/, ours, '--map', map);
    writeFileSync(map, JSON.stringify({ format: 'swa-align-names/1', names: [] }));
    await says(/bad\.json: names: /, ours, '--map', map);
    await says(/nowhere\.json/, ours, '--map', join(dir, 'nowhere.json'));
    await says(/nowhere\.npz/, join(dir, 'nowhere.npz'));
    writeFileSync(join(dir, 'text.npz'), 'no recording');
    await says(/text\.npz: /, join(dir, 'text.npz'));
    rmSync(manifest);
    await says(/broken\/manifest\.json: .*swa-align recorder > recorder\.py/);
    writeFileSync(manifest, '{"format": ');
    await says(/broken\/manifest\.json: is not JSON/);
    writeFileSync(manifest, good.replace('swa-align-reference/2', 'swa-align-reference/3'));
    await says(/broken\/manifest\.json: format: /);
    writeFileSync(manifest, good.replace('"probes": [', '"probes": [], "others": ['));
    await says(/broken\/manifest\.json: probes: /);
    writeFileSync(manifest, good);
    rmSync(tensors);
    await says(/broken\/tensors\.safetensors: /);
  });

  it('says which command takes a reference of our own networks', async () => {
    const vgg = fileURLToPath(new URL('../../fixtures/reference/vgg16', import.meta.url));
    expect(await run(['judge', join(all, 'lstm.npz'), '--reference', vgg])).toBe(2);
    expect(errors.at(-1)).toContain('swa-align diff --reference');
  });

  it('keeps an earlier reference where a recording fails', () => {
    const kept = join(dir, 'kept');
    cpSync(join(all, 'lstm'), kept, { recursive: true });
    const recorder = fileURLToPath(new URL('../../fixtures/recorder.py', import.meta.url));
    copyFileSync(recorder, join(dir, 'recorder.py'));
    const bad = `
import sys, numpy, torch; sys.path.insert(0, ${JSON.stringify(dir)})
from recorder import Recorder
from torch import nn
def fails(make):
    try: make()
    except (ValueError, RuntimeError, TypeError) as error: print(str(error).replace(chr(10), " "))
    else: print("NOTHING")
x, model = torch.randn(3, 4), nn.Sequential(nn.Linear(4, 2))
opt = torch.optim.SGD(model.parameters(), 0.1)
total = lambda m, b: m(b).sum()
fails(lambda: Recorder(model).save(${JSON.stringify(kept)}))
fails(lambda: Recorder(model).step(x, loss=lambda m, b: m(b), optimizer=opt))
fails(lambda: Recorder(model).step(x, loss=lambda m, b: m(b).sum().detach(), optimizer=opt))
fails(lambda: Recorder(model).step(x * float("nan"), loss=total, optimizer=opt))
fails(lambda: Recorder(model).step(x[:0], loss=total, optimizer=opt))
fails(lambda: Recorder(model).step(x, loss=total, optimizer=torch.optim.LBFGS(model.parameters())))
fails(lambda: Recorder(model).kink_free(x, total, opt, count=4))
class Searching(torch.optim.SGD):
    def step(self, closure): closure()
fails(lambda: Recorder(model).step(x, loss=total, optimizer=Searching(model.parameters(), 0.1)))
fails(lambda: Recorder(model).step(x, loss=total, optimizer=torch.optim.SGD(nn.Linear(4, 2).parameters(), 0.1)))
fails(lambda: Recorder("model.pt"))
kinked = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2)).bfloat16()
near = torch.randn(40, 4).bfloat16()
fails(lambda: Recorder(kinked).kink_free(near, total, torch.optim.SGD(kinked.parameters(), 0.1), count=40))
fails(lambda: Recorder(nn.Sequential(nn.Linear(4, 2), nn.RReLU())).step(x, loss=total, optimizer=opt))
noisy = nn.Sequential(nn.Linear(4, 2), nn.RReLU())
fails(lambda: Recorder(noisy).step(x, loss=total, optimizer=torch.optim.SGD(noisy.parameters(), 0.1)))
class Lost(nn.Module):
    def forward(self, x): return torch.relu(x / 0)
lost = Recorder(Lost())
lost.evaluate(x)
fails(lambda: lost.save(${JSON.stringify(kept)}))
outer = Recorder(model)
outer.step(x, loss=lambda m, b: model(x).sum(), optimizer=opt)
fails(lambda: outer.save(${JSON.stringify(kept)}))
fails(lambda: outer.save(${JSON.stringify(join(kept, 'manifest.json'))}))
fails(lambda: outer.save(${JSON.stringify(kept)}, layers=["encoder.*"]))
rec = Recorder(model)
rec.step(x, loss=total, optimizer=opt)
with torch.no_grad(): model[0].weight.mul_(2)
fails(lambda: rec.step(x, loss=total, optimizer=opt))
class Single(nn.Module):
    def __init__(self): super().__init__(); self.inner = nn.Linear(4, 2)
    def forward(self, x): return self.inner(x) @ torch.from_numpy(numpy.ones((2, 2), numpy.float32))
rec = Recorder(Single())
rec.evaluate(x)
fails(lambda: rec.save(${JSON.stringify(kept)}))
`;
    const said = spawnSync('python3', ['-c', bad], { encoding: 'utf8' });
    const lines = said.stdout.trim().split('\n');
    expect(lines, said.stderr).toEqual([
      expect.stringContaining('nothing was recorded'),
      expect.stringContaining('no single number but [3, 2]'),
      expect.stringContaining('has no gradient'),
      expect.stringContaining('the loss is nan'),
      expect.stringContaining('holds no tensor'),
      expect.stringContaining('LBFGS'),
      expect.stringContaining('pick 4 samples and was given 3'),
      expect.stringContaining('Searching asks for a closure'),
      expect.stringContaining("2 parameters of the optimizer are not the model's"),
      expect.stringContaining('takes an nn.Module and was given str'),
      expect.stringContaining('record the float32 model, and judge with --precision bfloat16'),
      expect.stringContaining("2 parameters of the optimizer are not the model's"),
      expect.stringContaining('RReLU keeps what it drew to itself'),
      expect.stringContaining('nothing is left to judge: it holds NaN or infinity'),
      expect.stringContaining('the loss must use the model and the batch that it is given'),
      expect.stringContaining('manifest.json is a file: name a folder'),
      expect.stringContaining('"encoder.*" matches no layer; there are'),
      expect.stringContaining('changed since the last pass'),
      expect.stringContaining('copy of Single cannot run'),
    ]);
    for (const file of ['manifest.json', 'tensors.safetensors']) {
      expect(readFileSync(join(kept, file))).toEqual(readFileSync(join(all, 'lstm', file)));
      expect(existsSync(join(kept, `${file}.tmp`))).toBe(false);
    }
  });
});
