import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { run } from '../run.ts';
import { commandTest } from '../testdata/commandTest.ts';
import { withDashes } from './flags.ts';

const { dir, printed, errors } = commandTest('usage');

const commands = '`swa-align --help` lists the commands';
const takes = (command: string): string => `\`swa-align ${command} --help\` lists the arguments`;

describe('a mistake on the command line is one sentence, and says where help is', () => {
  it.each([
    ['frobnicate', `there is no command 'frobnicate'; ${commands}`],
    ['tran', `there is no command 'tran' (did you mean train?); ${commands}`],
    ['--frob', `there is no flag --frob; ${commands}`],
    ['train --epochs two', `--epochs: 'two' is not a whole number from 1 on; ${takes('train')}`],
    ['train --epochs=', `--epochs: '' is not a whole number from 1 on; ${takes('train')}`],
    [
      'train --num_workers=-1',
      `--num-workers: '-1' is not a whole number from 0 on; ${takes('train')}`,
    ],
    ['train --momentum 2', `--momentum: '2' is not a number from 0 to 1; ${takes('train')}`],
    ['train --lr-init 0', `--lr-init: '0' is not a number above 0; ${takes('train')}`],
    ['train --wd inf', `--wd: 'inf' is not a number from 0 on; ${takes('train')}`],
    [
      'train --seed 18446744073709551616',
      `--seed: '18446744073709551616' is not a whole number from -2^63 to 2^64 - 1; ${takes('train')}`,
    ],
    ['train --seeds 1,1', `--seeds: '1,1' names 1 twice; ${takes('train')}`],
    ['train --epochs', `--epochs needs a value: --epochs <n>; ${takes('train')}`],
    ['train --epoch 3', `train has no flag --epoch (did you mean --epochs?); ${takes('train')}`],
    ['train extra', `'extra' is one argument too many; ${takes('train')}`],
    ['train --backend nope', 'there is no backend "nope"; choose one of ort, tfjs, oracle'],
    [
      'eval --checkpoint x --device moon',
      `--device: 'moon' is not one of auto, cpu, cpu-js, cuda, webgpu, tensorflow; ${takes('eval')}`,
    ],
    ['compare', `<a> is missing; ${takes('compare')}`],
    ['compare a b c', `'c' is one argument too many; ${takes('compare')}`],
    [
      'compare a b --method median',
      `--method: 'median' is not one of mean, max, min, relative, cosine, ulp, allclose, all; ${takes('compare')}`,
    ],
    [
      'diff --backends a,,b',
      `--backends: 'a,,b' names nothing between two commas; ${takes('diff')}`,
    ],
    ['export --out a.onnx', `--checkpoint <file> is missing; ${takes('export')}`],
    ['setup nope', "there is no command 'nope'; `swa-align setup --help` lists the commands"],
    ['setup cuda --gpu', `cuda has no flag --gpu; ${takes('setup cuda')}`],
    ['setup tensorflow x', `'x' is one argument too many; ${takes('setup tensorflow')}`],
    ['train --a\u001b[31m', `train has no flag --a [31m; ${takes('train')}`],
  ])('%s', async (line, said) => {
    expect(await run(line.split(' '))).toBe(2);
    expect(errors).toEqual([`swa-align: ${said}`]);
    expect(printed).toEqual([]);
  });

  it('a line break in a value does not break the message', async () => {
    expect(await run(['train', '--epochs', 'a\nb'])).toBe(2);
    expect(errors[0]).toContain("--epochs: 'a b' is not");
  });
});

it.each([
  [[], 'Usage: swa-align [options] [command]'],
  [['setup'], 'Usage: swa-align setup [options] [command]'],
  [['help', 'nope'], 'Usage: swa-align [options] [command]'],
])('asked for nothing it can do (%j), it prints its help and fails', async (argv, usage) => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(await run(argv)).toBe(2);
  expect(write.mock.calls.map(([text]) => text).join('')).toContain(usage);
  expect(errors).toEqual([]);
});

it('what follows -- is taken as it is', async () => {
  expect(withDashes(['--a_b=c_d', '--', '--a_b', 'e_f'])).toEqual([
    '--a-b=c_d',
    '--',
    '--a_b',
    'e_f',
  ]);
  expect(await run(['compare', '--method=max', '--', '--my_file', 'b'])).toBe(2);
  expect(errors).toEqual(['swa-align: --my_file: no such file or directory; check the path']);
});

describe('what a command writes is looked at before it computes', () => {
  it('batches makes an .npz', async () => {
    const out = join(dir, 'x.txt');
    expect(await run(['batches', '--dataset', 'synthetic', '--out', out])).toBe(2);
    expect(errors).toEqual([`swa-align: ${out}: does not end in .npz; give another name`]);
    expect(existsSync(out)).toBe(false);
  });

  it('one of a thing is one', async () => {
    const out = join(dir, 'x.npz');
    const flags = ['--batch-size', '1', '--dataset', 'synthetic', '--out', out];
    expect(await run(['batches', ...flags])).toBe(0);
    expect(printed).toEqual([`1 step of 1 image in ${out}\n`]);
    expect(readdirSync(dir)).toEqual(['x.npz']);
  });
});
