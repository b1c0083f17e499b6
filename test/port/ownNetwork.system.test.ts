import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { commandTest } from '../../src/cli/testdata/commandTest.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors/safetensors.ts';
import { sha256Hex } from '../../src/io/sha256/sha256.ts';
import { narrowVggs } from '../support/narrowModels.ts';
import { hasRecorderTorch } from '../support/pythons.ts';

const script = fileURLToPath(new URL('ownNetwork.py', import.meta.url));

/** A user's own VGG, recorded while PyTorch trains it, and our network run on the same batches and masks. */
describe.skipIf(!hasRecorderTorch)(
  'a network of ours against a recorded one (needs PyTorch 2.1)',
  { timeout: 600_000 },
  () => {
    let dir: string;
    const { printed, errors } = commandTest('own-network');
    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'swa-align-own-'));
      const made = spawnSync('python3', [script, dir], { encoding: 'utf8' });
      expect(made.status, made.stderr).toBe(0);
    }, 600_000);
    afterAll(() => rmSync(dir, { recursive: true }));

    const judged = (name: string, ...more: string[]): Promise<number> =>
      run(['judge', '--reference', join(dir, name), ...more]);

    /** An eighth as wide, as ownNetwork.py has all but one: a step of the whole takes gigabytes. */
    const narrowed = (name: string, ...more: string[]): Promise<number> => {
      narrowVggs(8);
      return judged(name, ...more);
    };

    it('an evaluation of VGG16 as wide as it is aligns', async () => {
      expect(await judged('wide', '--model', 'vgg16'), printed.join('') + errors.join('')).toBe(0);
      expect(printed.join('')).toContain('39 tensors aligned with PyTorch');
    });

    // vgg16: two steps of SGD, an evaluation; vgg16bn: a step of AdamW, one evaluation
    it.each([
      ['vgg16', '385 tensors aligned with PyTorch'],
      ['vgg16bn', '400 tensors aligned with PyTorch'],
    ])(
      '%s: every layer, gradient, weight and what the optimizer keeps align',
      async (name, all) => {
        expect(await narrowed(name, '--model', name), printed.join('') + errors.join('')).toBe(0);
        expect(printed.join('')).toContain(all);
      },
    );

    it('a weight that differs by a thousandth is seen in the layer that reads it', async () => {
      cpSync(join(dir, 'vgg16'), join(dir, 'other'), { recursive: true });
      const file = join(dir, 'other', 'tensors.safetensors');
      const { tensors } = readSafetensors(readFileSync(file), file);
      const copied = new Map(
        [...tensors].map(([key, t]) => [key, { ...t, data: t.data.slice() } as typeof t]),
      );
      (copied.get('f32/initial/features.0.weight')!.data as Float32Array)[5] *= 1.001;
      const bytes = writeSafetensors(copied);
      writeFileSync(file, bytes);
      const path = join(dir, 'other', 'manifest.json');
      const manifest = JSON.parse(readFileSync(path, 'utf8'));
      const sha256 = sha256Hex(bytes);
      writeFileSync(
        path,
        JSON.stringify({ ...manifest, tensors: { ...manifest.tensors, sha256 } }),
      );
      expect(await narrowed('other', '--model', 'vgg16')).toBe(1);
      expect(printed.join('')).toMatch(/✗ features\.0\.output[:\n]/);
    });

    it.each([
      [
        'dropped',
        /✗ classifier\.0\.output: 1\.4 × the reference's.*\n {2}made by classifier\.0: Dropout\(p=0\.3, inplace=False\)/,
      ],
      ['sum', /✗ loss: 0\.5 × the reference's: averaged over the batch, not summed/],
    ])('%s: a recipe that is not ours fails where it differs, and says why', async (name, line) => {
      expect(await narrowed(name, '--model', 'vgg16')).toBe(1);
      expect(printed.join('')).toMatch(line);
    });

    it('what cannot be run is refused in one line', async () => {
      const refused = async (name: string, ...argv: string[]): Promise<string> => {
        expect(await narrowed(name, ...argv)).toBe(2);
        return errors.splice(0).join('');
      };
      expect(await refused('rmsprop', '--model', 'vgg16')).toContain(
        'the optimizer RMSprop is not supported',
      );
      expect(await refused('vgg16', '--model', 'vgg19')).toContain('lacks features.16.weight');
      expect(await refused('vgg16', '--model', 'resnet')).toContain('resnet');
      expect(await refused('vgg16')).toContain('a recording is judged, or one of our networks');
      expect(await refused('vgg16', 'ours.npz', '--model', 'vgg16')).toContain('--model');
      expect(await refused('vgg16', '--model', 'vgg16', '--map', 'm.json')).toContain('--map');
    });
  },
);
