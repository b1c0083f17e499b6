/** `diff --trace` and `diff --tolerances` against PyTorch's recorded VGG16. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { weightsFromSeed } from '../align/reference/seedWeights.ts';
import type { Trace } from '../align/trace/trace.ts';
import { writeNpz } from '../io/numpy/npz.ts';
import { models } from '../nn/models/index.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';

const { dir, printed, errors } = commandTest('trace');

const out = (): string => join(dir, 'out');
const json = (): string => join(dir, 'report.json');
const diff = (...flags: string[]) =>
  run(['diff', 'loss', '--model', 'vgg16', '--out', out(), '--json', json(), ...flags]);
const traceIn = (): Trace => JSON.parse(readFileSync(json(), 'utf8')).models[0].trace;

describe('diff --trace', () => {
  it('agrees with PyTorch in every tensor, and the oracle with its float64', async () => {
    expect(await diff('--trace')).toBe(0);
    const { rows, notes } = traceIn();
    expect(rows).toHaveLength(2 * 38 + 32);
    expect(rows.every(({ state }) => state === 'agrees')).toBe(true);
    for (const { name, error, added } of rows) {
      expect(error?.ratio, name).toBeLessThanOrEqual(4);
      expect(added?.ratio, name).toBeLessThanOrEqual(4);
    }
    const [, worst] = notes.join().match(/repeats all 108 .* to (\S+) at worst/) ?? [];
    expect(Number(worst)).toBeLessThan(1e-12);
    expect(printed.join('')).toContain('trace: all 108 tensors agree');
  });

  it('names the first layer that leaves PyTorch, and does not blame the backend for it', async () => {
    const weights = new Map<string, Tensor>(weightsFromSeed(models.vgg16.build(10), 0));
    const data = weights.get('features.10.weight')!.data as Float32Array;
    data.forEach((v, i) => {
      data[i] = v * 1.0001;
    });
    const file = join(dir, 'changed.npz');
    writeFileSync(file, writeNpz(weights));
    expect(await diff('--trace', '--weights', file)).toBe(1);
    const { rows, firstDivergence } = traceIn();
    expect(rows[firstDivergence!]).toMatchObject({ name: 'features.10', state: 'diverges' });
    expect(rows[firstDivergence!].problem).toContain('not in the backend');
    expect(rows.slice(0, firstDivergence).every(({ state }) => state === 'agrees')).toBe(true);
    expect(rows[firstDivergence! + 1].state).toBe('inherits');
    const text = printed.join('');
    expect(text).toMatch(/features\.10 .*diverges {2}← first/);
    expect(text).toContain('failed: vgg16 loss, vgg16 trace');
  });
});

describe('diff --tolerances', () => {
  function tolerances(...overrides: unknown[]): string {
    const path = join(dir, 'tolerances.json');
    writeFileSync(path, JSON.stringify({ format: 'swa-align-tolerances/1', overrides }));
    return path;
  }

  it('applies a limit and shows its reason in log, terminal and JSON', async () => {
    const reason = 'checked by hand';
    const path = tolerances({ tensor: 'loss', limit: 1e-3, reason });
    expect(await diff('--tolerances', path)).toBe(0);
    expect(printed.join('')).toContain(reason);
    expect(readFileSync(join(out(), 'loss_diff.log'), 'utf8')).toContain(reason);
    const { verdicts } = JSON.parse(readFileSync(json(), 'utf8')).models[0].stages[0];
    const judged = verdicts.find(({ name }: { name: string }) => name === 'loss');
    expect(judged.override).toEqual({ tensor: 'loss', limit: 1e-3, reason });
    expect(judged.checks[0].threshold).toBe(1e-3);
  });

  it.each([
    ['matches nothing', { tensor: 'lofs', limit: 1, reason: 'a reason' }, 'lofs'],
    ['gives no reason', { tensor: 'loss', limit: 1 }, 'reason'],
  ])('refuses an entry that %s, before anything is written', async (_, entry, said) => {
    const target = join(dir, 'untouched');
    const path = tolerances(entry);
    expect(await run(['diff', 'loss', '--tolerances', path, '--out', target])).toBe(2);
    expect(existsSync(target)).toBe(false);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(said);
    expect(errors[0]).toContain('tolerances.json');
  });
});
