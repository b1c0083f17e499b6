import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { narrowVggs } from '../../test/support/narrowModels.ts';
import { svgProblems } from '../../test/svgProblems.ts';
import { writeNpz } from '../io/numpy/npz.ts';
import { models } from '../nn/models/index.ts';
import { initPlan } from '../nn/module.ts';
import { manualSeed } from '../torch/generator.ts';
import { initialise } from '../torch/initialise.ts';
import { run } from './run.ts';
import { narrowCommand, runProcess } from './testdata/commandProcess.ts';
import { commandTest } from './testdata/commandTest.ts';

describe('landscape', () => {
  const { dir, errors, printed } = commandTest('landscape');
  const at = (name: string): string => join(dir, name);
  const checkpoint = (epoch: number): string => at(`run/checkpoint-${epoch}.safetensors`);
  const small = '--samples 64 --test-samples 30 --batch-size 64 --threads 1'.split(' ');
  const points = [0, 1, 2].map((epoch) => `epoch ${epoch}=${checkpoint(epoch)}:raw`);
  const begun = (...words: string[]): Promise<number> => {
    narrowVggs(16);
    return run(['landscape', ...words, ...small]);
  };
  const plane = (out: string): string[] => [
    'landscape',
    'plane',
    ...points,
    ...small,
    ...['--grid', '3', '--out', at(out)],
  ];
  const filesIn = (out: string): Map<string, string> =>
    new Map(
      readdirSync(at(out))
        .filter((name) => !name.startsWith('.'))
        .map((name) => [name, readFileSync(join(at(out), name), 'utf8')]),
    );

  beforeAll(async () => {
    const training =
      '--model VGG16BN --dataset synthetic --epochs 2 --swa --swa-start 1 --batch-size 64 --save-freq 1 --threads 1';
    const words = ['train', ...training.split(' '), '--dir', at('run'), '--report', at('report')];
    const { code, stderr } = await runProcess([...narrowCommand(), ...words]);
    expect(code, stderr).toBe(0);
    const whole = await runProcess([...narrowCommand(), ...plane('whole')]);
    expect(whole.code, whole.stderr).toBe(0);
  }, 240_000);

  /** Kills a plane as soon as it has kept so many points. */
  function killedAfter(out: string, kept: number): Promise<NodeJS.Signals | null> {
    const [file, ...words] = [...narrowCommand(), ...plane(out)];
    const child: ChildProcess = spawn(file, words, { stdio: 'ignore' });
    const path = join(at(out), 'plane.points.jsonl');
    const look = setInterval(() => {
      if (!existsSync(path)) return;
      if (readFileSync(path, 'utf8').split('\n').length - 2 >= kept) child.kill('SIGKILL');
    }, 5);
    return new Promise((done) => {
      child.on('close', (_, signal) => {
        clearInterval(look);
        done(signal);
      });
    });
  }

  test('killed twice, its last line torn, and begun again, a plane ends in the same bytes', {
    timeout: 240_000,
  }, async () => {
    expect(await killedAfter('killed', 2)).toBe('SIGKILL');
    const path = join(at('killed'), 'plane.points.jsonl');
    const [before] = [readFileSync(path)];
    truncateSync(path, before.length - 7);
    expect(await killedAfter('killed', 5)).toBe('SIGKILL');
    const { code, stdout, stderr } = await runProcess([...narrowCommand(), ...plane('killed')]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^12 points on .*, \d+ of them measured before$/m);
    expect([...filesIn('killed')]).toEqual([...filesIn('whole')]);
    expect([...filesIn('whole').keys()].sort()).toEqual([
      'plane.csv',
      'plane.json',
      'plane.points.jsonl',
      'plane.svg',
    ]);
  });

  test('says which images it is of, and what it found at the points', async () => {
    narrowVggs(16);
    expect(await run(plane('whole')), errors.join('')).toBe(0);
    const told = printed.join('');
    expect(told).toContain(
      'training loss on the first 64 of 650 training images, test error on the first 30 of 270 test images',
    );
    expect(told).toContain('batch-norm statistics of every point, from the same images');
    expect(told).toMatch(/^epoch 2: training loss \d\.\d+, test error \d+\.\d\d %$/m);
    const svg = filesIn('whole').get('plane.svg')!;
    expect(svgProblems(svg)).toEqual([]);
    expect(svg).toMatch(/class="halo"[^>]*>epoch 1</);
    const [head, first, ...rest] = filesIn('whole').get('plane.csv')!.trimEnd().split('\n');
    expect(head).toBe('point,x,y,train_loss,train_error,test_loss,test_error,weight_norm');
    expect(first).toMatch(/^epoch 0,0,0,2\.\d+,/);
    expect(rest).toHaveLength(11);
  });

  test('other settings in the same directory are refused in one line', async () => {
    const before = filesIn('whole');
    narrowVggs(16);
    expect(await run([...plane('whole'), '--bn-samples', '32'])).toBe(2);
    expect(errors.join('')).toBe(
      `swa-align: ${at('whole/plane.points.jsonl')}: was started with --bn-samples 64, not with --bn-samples 32; give the same to continue, or another --out`,
    );
    expect([...filesIn('whole')]).toEqual([...before]);
  });

  test('a line and rays: data, pictures, and how far the loss stays low', async () => {
    const [sgd, swa] = [`SGD=${checkpoint(2)}:raw`, `SWA=${checkpoint(2)}`];
    const line = ['line', sgd, swa, '--points', '4', '--out', at('both')];
    expect(await begun(...line), errors.join('')).toBe(0);
    const rays = ['rays', sgd, swa, '--rays', '2', '--points', '3', '--factor', '1.05'];
    expect(await begun(...rays, '--reach', '40', '--out', at('both')), errors.join('')).toBe(0);
    const files = filesIn('both');
    expect(files.get('line.csv')!.split('\n')[2]).toMatch(/^SWA,0,/);
    for (const kind of ['line', 'rays']) expect(svgProblems(files.get(`${kind}.svg`)!)).toEqual([]);
    const { widths, points: measured } = JSON.parse(files.get('rays.json')!);
    expect(measured).toHaveLength(2 + 2 * 2 * 2);
    expect(widths.map(({ point }: { point: string }) => point)).toEqual(['SGD', 'SWA']);
    expect(printed.join('')).toMatch(
      /^SWA: the training loss is 1\.05 times as high (at a distance of|beyond) \d/m,
    );
  });

  test('test errors by epoch come from the report of a run', async () => {
    expect(await run(['landscape', 'epochs', at('report'), '--out', at('epochs')])).toBe(0);
    const files = filesIn('epochs');
    const { rows } = JSON.parse(readFileSync(at('report/run.json'), 'utf8'));
    expect(files.get('epochs.csv')!.split('\n')[1]).toBe(
      `1,${100 - rows[0].testAccuracy},${100 - rows[0].swaTestAccuracy}`,
    );
    expect(svgProblems(files.get('epochs.svg')!)).toEqual([]);
  });

  test('points of two models are refused by the file that does not fit', async () => {
    narrowVggs(16);
    const other = '--model VGG16 --dataset synthetic --batch-size 64 --steps 1 --threads 1';
    const words = ['train', ...other.split(' '), '--no-report', '--dir', at('vgg16')];
    expect(await run(words), errors.join('')).toBe(0);
    const file = at('vgg16/checkpoint-0.safetensors');
    expect(await run(['landscape', 'line', points[0], file, '--out', at('wrong')])).toBe(2);
    expect(errors).toEqual([
      `swa-align: ${file}: holds VGG16, the first point VGG16BN; name points of one model`,
    ]);
  });

  test('a network without batch norm has no statistics to be computed anew', async () => {
    narrowVggs(16);
    const file = at('plain.npz');
    const vgg16 = models.vgg16.build(10);
    writeFileSync(file, writeNpz(initialise(initPlan(vgg16), manualSeed(1))));
    const rays = '--model VGG16 --dataset synthetic --rays 1 --points 2 --reach 1'.split(' ');
    expect(await begun('rays', file, ...rays, '--out', at('plain')), errors.join('')).toBe(0);
    expect(printed.join('')).not.toContain('batch-norm');
    const { points: found } = JSON.parse(filesIn('plain').get('rays.json')!);
    const [{ trainLoss }, away] = found;
    // What an untrained network knows of ten classes.
    expect(trainLoss).toBeCloseTo(Math.log(10), 1);
    expect(away.trainLoss).not.toBe(trainLoss);
  });

  const onLine = 'the three points are on one line';
  test.each<[string, () => string[], string | RegExp]>([
    ['twice the same', () => ['plane', points[0], points[1], `again=${checkpoint(1)}:raw`], onLine],
    ['an average of the others', () => ['plane', points[1], points[2], checkpoint(2)], onLine],
    ['one name twice', () => ['line', points[1], points[1]], 'two points have one name'],
    [
      'both the same',
      () => ['line', points[1], `b=${checkpoint(1)}:raw`],
      'both points are the same weights',
    ],
    ['no average yet', () => ['rays', `${checkpoint(0)}:swa`], 'holds no average yet'],
    ['no such file', () => ['rays', 'nowhere.npz'], 'nowhere.npz'],
    [
      'more images than there are',
      () => ['rays', points[0], '--test-samples', '999'],
      '270 or less',
    ],
    ['no rise', () => ['rays', points[0], '--factor', '1'], '--factor 1'],
    [
      'four solutions',
      () => ['rays', ...points, points[0]],
      'one picture shows at most 3 solutions',
    ],
  ])('says in one line what is wrong: %s', async (_, words, message) => {
    narrowVggs(16);
    const code = await run(['landscape', ...words(), '--out', at('wrong'), '--samples', '64']);
    expect([code, errors.length]).toEqual([2, 1]);
    expect(errors[0]).toMatch(message);
    expect(existsSync(at('wrong'))).toBe(false);
  });
});
