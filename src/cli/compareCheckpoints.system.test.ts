import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeNpz } from '../io/numpy/npz.ts';
import { recordingOf } from '../io/recording.ts';
import { torchFile } from '../io/testdata/support.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';
import { logStamp } from './testdata/toldByCompare.ts';

const { dir, printed, errors } = commandTest('compare-checkpoints');

const put = (name: string, bytes: Uint8Array): string => {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
};

describe('checkpoints of PyTorch', () => {
  const torch = (name: string): string => put(`${name}.ckpt`, torchFile(`checkpoint/${name}`));
  const text = (): string => printed.join('').replaceAll(logStamp, '');
  const failed = (): string[] =>
    [...text().matchAll(/^(.+): \n\t.*check passed: False/gm)].map(([, name]) => name);

  it.each([
    ['authors, another average', /^swa_state_dict\/[01]\./, 'state_dict'],
    ['authors, another momentum', /^optimizer\/state\/0\/momentum_buffer$/, 'swa_state_dict'],
  ])('with one state_dict and %s part', async (name, where, same) => {
    const [a, b] = [torch('authors'), torch(name)];
    expect(await run(['compare', a, b])).toBe(1);
    expect(failed().length).toBeGreaterThan(0);
    for (const key of failed()) expect(key).toMatch(where);
    expect(text()).toContain("note: A: 'epoch', 'swa_n', ");
    expect(await run(['compare', a, b, '--key', same])).toBe(0);
  });

  it('hold what bare weights do under a key', async () => {
    const bare = put(
      'bare.npz',
      writeNpz(recordingOf(torchFile('checkpoint/authors'), 'x', { key: 'state_dict' }).tensors),
    );
    expect(await run(['compare', torch('authors'), bare])).toBe(1);
    expect(text()).toContain("note: A: the part 'state_dict' has the other's keys");
    expect(await run(['compare', torch('authors'), bare, '--key', 'state_dict'])).toBe(0);
    expect(text()).toContain('note: B: has no parts, so all of it is taken');
    printed.length = 0;
    expect(await run(['compare', bare, torch('data parallel')])).toBe(0);
    expect(text()).toContain("note: B: 'module.' removed from the names of the weights");
    expect(await run(['compare', bare, torch('authors'), '--key', 'ema'])).toBe(2);
    expect(errors.join()).toMatch(/authors\.ckpt: holds nothing under 'ema'/);
  });

  it('fail by name for a tensor that cannot be read', async () => {
    const a = put('unread.pt', torchFile('unread/tensors'));
    expect(await run(['compare', a, a])).toBe(1);
    expect(failed().sort()).toEqual(['quantized', 'sparse']);
    expect(text()).toContain('A and B hold a quantized tensor, which is not compared');
  });

  it('of another type of element differ, by its own name', async () => {
    const [a, b] = ['bfloat16', 'float8_e5m2'].map((t) => put(t, torchFile(`types/${t}`)));
    expect(await run(['compare', a, b, '--key', 'w'])).toBe(1);
    expect(text()).toContain('dtype bfloat16 against float8_e5m2');
  });
});
