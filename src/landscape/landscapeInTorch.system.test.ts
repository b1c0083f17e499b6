import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { narrowVggs } from '../../test/support/narrowModels.ts';
import { pythonHas } from '../../test/support/pythons.ts';
import { run } from '../cli/run.ts';
import { commandTest } from '../cli/testdata/commandTest.ts';

const hasTorch = pythonHas(['numpy', 'torch']);
const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url));
const script = fileURLToPath(new URL('testdata/landscape_in_torch.py', import.meta.url));

interface Answer {
  readonly trainLoss: number;
  readonly trainWrong: number;
  readonly testLoss: number;
  readonly testWrong: number;
}

type Point = Answer & Readonly<Record<'x' | 'y' | 'ray' | 'from' | 'distance', number>>;

/** Of a loss, relative to PyTorch's in float64 at the same weights. PyTorch's own float32 is up to 1.3e-7 away, ours 9e-8. */
const limit = 1e-6;

const [samples, tests, batch] = [192, 150, 64];

describe.skipIf(!hasTorch)('points of a landscape in PyTorch (needs torch)', () => {
  const { dir, errors } = commandTest('landscape-torch');
  const at = (name: string): string => join(dir, name);
  const sizes = ['--samples', samples, '--test-samples', tests, '--batch-size', batch].map(String);
  const commanded = async (...words: string[]): Promise<void> => {
    narrowVggs(16);
    expect(
      await run([...words, ...(words[0] === 'export' ? [] : ['--threads', '1'])]),
      errors.join(''),
    ).toBe(0);
  };
  const points = (kind: string): Point[] =>
    JSON.parse(readFileSync(join(dir, 'out', `${kind}.json`), 'utf8')).points;

  test('five of a plane and two of rays', { timeout: 480_000 }, async () => {
    const training = '--model VGG16BN --dataset synthetic --epochs 3 --batch-size 64 --save-freq 1';
    await commanded('train', ...training.split(' '), '--no-report', '--dir', at('run'));
    const checkpoints = [1, 2, 3].map((n) => at(`run/checkpoint-${n}.safetensors`));
    const weights = [1, 2, 3].map((n) => at(`${n}.npz`));
    for (const [i, file] of weights.entries()) {
      await commanded('export', '--checkpoint', checkpoints[i], '--out', file);
    }
    // Two of the points from bare weights, as somebody else would have them.
    const words = [checkpoints[0], weights[1], weights[2]];
    await commanded('landscape', 'plane', ...words, '--grid', '2', '--out', at('out'), ...sizes);
    const rays = '--rays 2 --points 2 --reach 6 --seed 5'.split(' ');
    await commanded('landscape', 'rays', words[0], ...rays, '--out', at('out'), ...sizes);
    const [plane, onRays] = [points('plane').slice(2, 7), points('rays').slice(1)];
    const ours = [...plane, ...onRays];
    const { stdout, stderr, status } = spawnSync('python3', [script], {
      input: JSON.stringify({
        fixtures,
        weights,
        data: join(fixtures, 'synthetic', 'cifar-10-batches-bin'),
        samples,
        tests,
        batch,
        plane: plane.map(({ x, y }) => [x, y]),
        seed: 5,
        rays: onRays.map(({ ray, distance }) => [ray, distance]),
      }),
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const theirs: Answer[] = JSON.parse(stdout);
    expect(theirs).toHaveLength(7);
    for (const [i, float64] of theirs.entries()) {
      const { trainLoss, testLoss, trainWrong, testWrong } = ours[i];
      expect(Math.abs(trainLoss / float64.trainLoss - 1), `training loss ${i}`).toBeLessThan(limit);
      expect(Math.abs(testLoss / float64.testLoss - 1), `test loss ${i}`).toBeLessThan(limit);
      expect([trainWrong, testWrong]).toEqual([float64.trainWrong, float64.testWrong]);
    }
    // The points differ by far more than the limit, so that one taken for another would be seen.
    const losses = theirs.map(({ trainLoss }) => trainLoss).sort((a, b) => a - b);
    losses.slice(1).forEach((loss, i) => {
      expect(loss / losses[i] - 1).toBeGreaterThan(5 * limit);
    });
  });
});
