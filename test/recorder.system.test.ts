import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Manifest, manifestSchema } from '../src/align/reference/manifest.ts';
import { run } from '../src/cli/run.ts';
import { readNpzFile, writeNpz } from '../src/io/numpy/npz.ts';
import { sha256Hex } from '../src/io/sha256/sha256.ts';
import { bytesOf } from '../src/tensor/tensor.ts';

const script = fileURLToPath(new URL('recordTraining.py', import.meta.url));
const probe = 'import torch; assert int(torch.__version__.split(".")[0]) >= 2';
const python = ['python3', '/usr/bin/python3'].find(
  (p) => spawnSync(p, ['-c', probe]).status === 0,
);

/** A user's own VGG, recorded by fixtures/recorder.py while it trains, and ours held against the record. */
describe.skipIf(python === undefined)(
  'the recorder (needs PyTorch 2)',
  { timeout: 600_000 },
  () => {
    let dir: string;
    let said: string;
    const errors: string[] = [];
    const printed: string[] = [];

    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'swa-align-recorder-'));
      const made = spawnSync(python!, [script, dir], { encoding: 'utf8' });
      expect(made.status, made.stderr).toBe(0);
      said = made.stdout;
    }, 600_000);
    afterAll(() => rmSync(dir, { recursive: true }));

    async function diff(name: string, ...argv: string[]): Promise<number> {
      errors.length = 0;
      printed.length = 0;
      vi.spyOn(process.stdout, 'write').mockImplementation(
        (text) => printed.push(String(text)) > 0,
      );
      vi.spyOn(console, 'error').mockImplementation((text) => errors.push(String(text)));
      const code = await run([
        'diff',
        ...argv,
        '--reference',
        join(dir, name),
        '--out',
        join(dir, 'out'),
      ]);
      vi.restoreAllMocks();
      return code;
    }

    const manifestOf = (name: string): Manifest =>
      manifestSchema.parse(JSON.parse(readFileSync(join(dir, name, 'manifest.json'), 'utf8')));

    it.each(['vgg16', 'vgg16bn'])(
      '%s: forward, loss, every gradient and the update agree',
      async (name) => {
        expect(Object.keys(manifestOf(name).stages)).toEqual(['forward', 'loss', 'backward']);
        expect(await diff(name), printed.join('') + errors.join('')).toBe(0);
        expect(printed.join('')).toContain('all 3 stages passed');
      },
    );

    it('a weight that differs by a thousandth fails every stage', async () => {
      cpSync(join(dir, 'vgg16'), join(dir, 'other'), { recursive: true });
      const weights = readNpzFile(join(dir, 'other', 'weights.npz'));
      const changed = weights.get('features.0.weight')!;
      (changed.data as Float32Array)[5] *= 1.001;
      const file = writeNpz(weights);
      writeFileSync(join(dir, 'other', 'weights.npz'), file);
      expect(await diff('other', 'loss')).toBe(2);
      expect(errors.join()).toContain('weights.npz: SHA-256 is');

      // Under digests that fit, only the numbers can tell.
      const manifest = manifestOf('other');
      const { sha256 } = manifest.weights;
      const digests = { ...sha256, 'features.0.weight': sha256Hex(bytesOf(changed)) };
      const forged = {
        ...manifest,
        weights: { ...manifest.weights, sha256: digests },
        files: { ...manifest.files, 'weights.npz': sha256Hex(file) },
      };
      writeFileSync(join(dir, 'other', 'manifest.json'), JSON.stringify(forged));
      expect(await diff('other', 'forward', 'backward')).toBe(1);
      const text = printed.join('');
      expect(text).toContain('✗ features.0: relative l2');
      expect(text).toContain('failed: vgg16 forward, vgg16 backward');
    });

    it.each([
      ['kinks', /in step 0 [\w.]+ decides [\d.e-]+ of its RMS from a kink, .*kink_free/],
      ['adam', /the optimizer is not plain SGD with momentum/],
      ['sum', /the loss is not the mean cross-entropy/],
      [
        'changed',
        /the first logits are [\d.e+-]+ from float64's: .*weights changed since Recorder\(\)/,
      ],
    ])('%s: gradients that prove nothing are left out, and it says why', (name, reason) => {
      const line = said
        .split('\n')
        .find((l) => l.startsWith(`${join(dir, name)}: vgg16: forward, loss; left out`));
      expect(line).toMatch(reason);
      expect(Object.keys(manifestOf(name).stages)).toEqual(['forward', 'loss']);
    });

    const linesOf = (name: string): string[] =>
      said.split('\n').filter((line) => line.startsWith(`${join(dir, name)}: `));

    it.each([
      ['functional', /1 of 1 Relu are calls of functions, which cannot be watched: use nn\.ReLU/],
      ['leaky', /it computes LeakyRelu, whose kinks are not watched/],
      ['smooth', /no nn\.ReLU or nn\.MaxPool2d was seen but Gelu/],
      ['adamant', /the optimizer is not plain SGD with momentum/],
    ])('%s: kink_free says at once that no images will do', (name, reason) => {
      const [warned, saved] = linesOf(name);
      expect(warned).toContain(': kink_free: warning: gradients will be left out: ');
      expect(warned).toMatch(reason);
      expect(saved).toMatch(reason);
      expect(Object.keys(manifestOf(name).stages)).toEqual(['forward', 'loss']);
    });

    it.each(['DataParallel', 'AveragedModel', 'compile', 'DistributedDataParallel'])(
      'a model in %s is recorded as the model itself',
      (name) => {
        if (name === 'DistributedDataParallel' && linesOf(name).length === 0) return;
        expect(manifestOf(name)).toEqual(manifestOf('plain'));
      },
    );

    it('a search says how far it is, and ends when all or the time is used up', () => {
      const [all, late, terminal] = said
        .split('\n')
        .flatMap((line) => (line.startsWith('[') ? [JSON.parse(line) as [string, string]] : []));
      expect(all[1]).toMatch(
        /^no 2 of 40 images are kink-free \(0 of 40 images may do, .*\): give/,
      );
      expect(late[1]).toMatch(/^no 2 kink-free images in 25 s \(.*\): give .*, or more seconds$/);
      for (const [screen] of [all, late]) {
        const lines = screen.trimEnd().split('\n');
        expect(lines.length).toBeGreaterThan(2);
        for (const line of lines.slice(0, -1)) expect(line).toMatch(/^kink_free: \d+ of \d+ s: /);
      }
      expect(late[0]).toMatch(/^(kink_free: [^\r]*\n)+$/);
      const renewed = terminal[0].split('\r\u001b[K');
      expect(renewed.shift()).toBe('');
      expect(renewed.pop()).toMatch(/^kink_free: given up .*\n$/);
      for (const line of renewed) expect(line).toMatch(/^kink_free: .{1,68}$/);
    });

    it('without a training step there is nothing to save', () => {
      expect(said).toContain('no training step was seen between Recorder() and save()');
      expect(existsSync(join(dir, 'untrained'))).toBe(false);
    });

    it('a reference of another model, dropout or shape is refused in one line', async () => {
      expect(await diff('vgg16', 'loss', '--model', 'vgg19')).toBe(2);
      expect(errors.join()).toContain('is a reference of vgg16, not of vgg19');
      const original = JSON.parse(readFileSync(join(dir, 'vgg16', 'manifest.json'), 'utf8'));
      const altered = async (change: (manifest: typeof original) => void, ...stages: string[]) => {
        const manifest = structuredClone(original);
        change(manifest);
        writeFileSync(join(dir, 'vgg16', 'manifest.json'), JSON.stringify(manifest));
        expect(await diff('vgg16', ...stages)).toBe(2);
        expect(errors).toHaveLength(1);
        return errors[0];
      };
      const settings = (m: typeof original) => m.stages.backward.kinkfree.settings;
      expect(
        await altered((m) => Object.assign(settings(m), { dropout: 0.3 }), 'backward'),
      ).toContain('dropout is 0.3, that of vgg16 0.5');
      expect(await altered((m) => Object.assign(m, { classes: 5 }), 'loss')).toContain(
        "weights.npz: classifier.6.weight is [7, 512], the model's [5, 512]",
      );
      expect(await altered((m) => Object.assign(m, { model: 'vgg19' }), 'loss')).toContain(
        'weights.npz: lacks features.16.weight',
      );
      expect(await altered((m) => Object.assign(m, { model: 'my net' }))).toContain(
        'manifest.json: is about a model "my net", which is none of ours',
      );
      expect(await altered((m) => delete m.weights.file)).toContain('neither a seed nor a file');
    });
  },
);
