import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { narrowVggs } from '../../test/support/narrowModels.ts';
import { follow, scratch, tinyRun } from '../../test/trainTinyRun.ts';
import { cifar10 } from '../data/cifar.ts';
import { run } from './run.ts';

let s: ReturnType<typeof scratch>;
let tiny: string;
let data: string;
beforeAll(async () => {
  s = scratch();
  // A real checkpoint, of a model narrower than any that the command line knows.
  tiny = join(s.dir, 'tiny');
  await follow(tinyRun(tiny, {}, { steps: 4 }));
  data = imagesIn(join(s.dir, 'short'));
  truncateSync(join(data, 'cifar-10-batches-bin', 'data_batch_3.bin'), 3000);
});
afterAll(() => s.remove());

/** CIFAR-10 with two images a file. */
function imagesIn(dir: string): string {
  const folder = join(dir, 'cifar-10-batches-bin');
  mkdirSync(folder, { recursive: true });
  for (const name of [...cifar10.files.train, ...cifar10.files.test]) {
    const bytes = Uint8Array.from(
      { length: 2 * 3073 },
      (_, i) => (i % 3073 === 0 ? 3 : i * 7) & 255,
    );
    writeFileSync(join(folder, name), bytes);
  }
  return dir;
}

let errors: string[];
beforeEach(() => {
  errors = [];
  const write = (text: unknown): boolean => {
    errors.push(String(text));
    return true;
  };
  vi.spyOn(console, 'error').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs a command line that must fail with one line and without a new file in `dir`. */
async function refused(line: string): Promise<string> {
  const out = join(s.dir, 'out');
  const argv = line
    .split(' ')
    .map((word) => word.replace('OUT', out).replace('TINY', tiny).replace('SHORT', data));
  const before = readdirSync(tiny);
  expect(await run(argv)).toBe(2);
  // Beside what it was at, as a plain line says.
  const messages = errors.filter((text) => !text.endsWith(' …\n'));
  expect(messages).toHaveLength(1);
  expect(messages[0].trimEnd().split('\n')).toHaveLength(1);
  expect(existsSync(out)).toBe(false);
  expect(readdirSync(tiny)).toEqual(before);
  return messages[0];
}

describe('train refuses, in one line and with exit code 2', () => {
  test.each([
    ['--batch-size 0', "--batch-size: '0' is not a whole number from 1 on"],
    ['--batch_size=0', "--batch-size: '0' is not a whole number from 1 on"],
    ['--epochs 1.5', "'1.5' is not a whole number"],
    ['--lr-init fast', "'fast' is not a number"],
    ['--model VGG11', 'there is no model "VGG11"'],
    ['--dataset mnist', 'there is no data set "mnist"'],
    ['--profile paddle', 'there is no profile "paddle"'],
    ['--backend tpu', 'there is no backend "tpu"'],
    ['--nesterov', 'train has no flag --nesterov'],
    ['--data-path SHORT/missing --dataset cifar10', 'no such file or directory'],
    ['--data-path SHORT --dataset cifar10', 'data_batch_3.bin: 3000 bytes are not a whole number'],
    ['--swa --epochs 2', '--swa-start 161 is after the last of 2 epochs'],
    ['--swa_start=3', '--swa-start does nothing without --swa'],
    ['--weights SHORT/none.pt', 'none.pt: no such file or directory'],
    ['--weights TINY/vgg16bn.safetensors', 'lacks features.2.weight and 9 more'],
    ['--resume SHORT/none.safetensors', 'none.safetensors: no such file or directory'],
    ['--resume TINY/vgg16bn.safetensors', 'is not a checkpoint of a training run'],
    ['--resume', 'out: holds no checkpoint to resume'],
    ['--resume TINY/checkpoint-0.safetensors --lr-init 0.1', 'began with --lr-init 0.05, not 0.1'],
    [
      '--resume TINY/checkpoint-0.safetensors --model vgg16',
      'began with --model vgg16bn, not vgg16',
    ],
    [
      '--resume TINY/checkpoint-0.safetensors --weights TINY/vgg16bn.safetensors',
      'leave one of them out',
    ],
    ['--resume TINY/checkpoint-0.safetensors', 'the run began with other training images'],
  ])('%s', async (flags, message) => {
    const dataset =
      flags.includes('--dataset') || flags.includes('checkpoint') ? '' : ' --dataset synthetic';
    expect(await refused(`train ${flags}${dataset} --dir OUT`)).toContain(message);
  });

  test('a directory that holds another run', async () => {
    const message = await refused('train --dataset synthetic --dir TINY');
    expect(message).toContain('holds the checkpoints of an earlier run; add --resume');
  });

  test('a --dir that is a file', async () => {
    const file = join(s.dir, 'file');
    writeFileSync(file, 'text');
    expect(await run(['train', '--dataset', 'synthetic', '--dir', file])).toBe(2);
    expect(readFileSync(file, 'utf8')).toBe('text');
  });
});

describe('eval refuses', () => {
  test.each([
    ['eval', 'no model is named'],
    ['eval --checkpoint SHORT/none.safetensors', 'no such file or directory'],
    ['eval --checkpoint TINY/checkpoint-0.safetensors --weights swa', 'holds no average yet'],
    [
      'eval --checkpoint TINY/checkpoint-0.safetensors --weights best',
      'there are no "best" weights',
    ],
    ['eval --checkpoint TINY/checkpoint-0.safetensors --model vgg19', 'is a checkpoint of vgg16bn'],
    [
      'eval --checkpoint TINY/vgg16bn.safetensors --model vgg16bn',
      'features.0.weight is [4, 3, 3, 3]',
    ],
    [
      'eval --checkpoint TINY/vgg16bn.safetensors --weights swa',
      'holds one set of weights, and does not say of which kind',
    ],
  ])('%s', async (line, message) => {
    expect(await refused(line)).toContain(message);
  });
});

describe('batches refuses', () => {
  test.each([
    ['batches --data-path SHORT', '--out'],
    ['batches --data-path SHORT --out OUT/b.npz', 'data_batch_3.bin'],
    [
      'batches --dataset synthetic --count 0 --out OUT/b.npz',
      "'0' is not a whole number from 1 on",
    ],
    [
      'batches --dataset synthetic --batch-size 0 --out OUT/b.npz',
      "'0' is not a whole number from 1 on",
    ],
    ['batches --dataset synthetic --out TINY/vgg16bn.safetensors/x.npz', 'not a directory'],
  ])('%s', async (line, message) => {
    expect(await refused(line)).toContain(message);
  });
});

test('train, stopped and resumed to its end, and eval, which repeats the log', {
  timeout: 120_000,
}, async () => {
  narrowVggs(8);
  const [dir, csv] = [join(s.dir, 'full'), join(s.dir, 'steps.csv')];
  const report = join(s.dir, 'report');
  const flags = ['--data_path', imagesIn(join(s.dir, 'small')), '--log_steps', csv, '--dir', dir];
  flags.push('--report', report);
  const begin = ['train', ...flags, '--swa', '--batch_size=4', '--epochs=1', '--swa_start', '1'];
  expect(await run([...begin, '--steps', '2'])).toBe(0);
  expect(readFileSync(join(dir, 'train_log.txt'), 'utf8')).toBe('');
  expect(existsSync(report)).toBe(false);
  expect(await run(['train', ...flags, '--resume'])).toBe(0);
  expect(readdirSync(report).sort()).toEqual(['curves.svg', 'run.json', 'train_log.txt']);

  const [title, ...lines] = readFileSync(csv, 'utf8').trimEnd().split('\n');
  expect(title).toBe('step,lr,loss');
  expect(lines.map((line) => line.split(',').slice(0, 2).join())).toEqual([
    '0,0.05',
    '1,0.05',
    '2,0.05',
  ]);
  expect(lines[0]).toMatch(/^0,0\.05,\d\.\d{8}$/);
  expect(readdirSync(dir).sort()).toEqual([
    'checkpoint-0-step-2.safetensors',
    'checkpoint-0.safetensors',
    'checkpoint-1.safetensors',
    'data.json',
    'train_log.txt',
    'vgg16-swa.npz',
    'vgg16-swa.safetensors',
    'vgg16.safetensors',
  ]);

  const log = readFileSync(join(dir, 'train_log.txt'), 'utf8').trimEnd().split('\n');
  expect(log).toHaveLength(4);
  const [loss, accuracy, swaLoss, swaAccuracy] = log[3].trim().split(/ +/).slice(4);
  const printed = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  const evaluated = async (...argv: string[]): Promise<string> => {
    printed.mockClear();
    expect(await run(['eval', ...flags.slice(0, 2), ...argv])).toBe(0);
    return printed.mock.calls.map(([text]) => text).join('');
  };
  const checkpoint = ['--checkpoint', join(dir, 'checkpoint-1.safetensors')];
  const raw = await evaluated(...checkpoint, '--weights', 'raw');
  expect(raw).toMatch(new RegExp(`^raw .*\nloss +${loss} .*\naccuracy +${accuracy} `));
  const swa = await evaluated(...checkpoint);
  expect(swa).toMatch(new RegExp(`^swa .*\nloss +${swaLoss} .*\naccuracy +${swaAccuracy} `));
  const bare = await evaluated('--checkpoint', join(dir, 'vgg16-swa.npz'), '--batch-size', '4');
  expect(bare.split('\n').slice(1)).toEqual(swa.split('\n').slice(1));
});

test('--log-steps does not overwrite another kind of file', async () => {
  const notes = join(s.dir, 'notes.txt');
  writeFileSync(notes, 'my notes\n');
  const dir = join(s.dir, 'notes-run');
  const flags = ['--dataset', 'synthetic', '--batch-size', '4', '--steps', '1', '--dir', dir];
  expect(await run(['train', ...flags, '--log-steps', notes])).toBe(2);
  expect(errors.join('')).toContain('exists and is not a log of steps');
  expect(readFileSync(notes, 'utf8')).toBe('my notes\n');
});
