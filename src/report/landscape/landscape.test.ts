import { describe, expect, test } from 'vitest';
import { svgProblems } from '../../../test/svgProblems.ts';
import type { SurveyedPoint } from '../../landscape/survey.ts';
import { imagesUsed, type Landscape } from './landscape.ts';
import { landscapeCsv, landscapeJson } from './landscapeFiles.ts';
import { linePicture } from './linePicture.ts';
import { planePicture } from './planePicture.ts';
import { raysPicture, widthLine, widthsOf } from './raysPicture.ts';
import { medianDistance, riseDistance } from './widths.ts';

const point = (
  at: Record<string, number>,
  trainLoss: number,
  solution?: number,
): SurveyedPoint => ({
  at,
  ...(solution !== undefined && { solution }),
  measured: { trainLoss, trainWrong: 10, testLoss: 1, testWrong: 25, norm: 10 },
});

const landscape = (kind: Landscape['kind'], points: readonly SurveyedPoint[]): Landscape => ({
  kind,
  model: 'VGG16BN',
  dataset: 'cifar10',
  classes: 10,
  solutions: ['SGD, last', 'SWA', 'third "3"'].map((name) => ({ name, sha256: 'ab' })),
  images: { train: 1000, refresh: 1000, test: 100, ofTrain: 50_000, ofTest: 100 },
  backend: 'ONNX Runtime',
  settings: { model: 'VGG16BN' },
  points,
});

const draw = { l2: 0 };

const line = landscape('line', [
  point({ distance: 4 }, 0.5, 0),
  point({ distance: 0 }, 0.25, 1),
  point({ distance: -2 }, Number.NaN),
  point({ distance: 2 }, 0.3),
]);

/** A bowl around (3, 2), measured at three points and on a grid. */
const plane = (() => {
  const bowl = (x: number, y: number): number => 0.1 + ((x - 3) ** 2 + (y - 2) ** 2) / 20;
  const [xs, ys] = [
    [-2, 0, 2, 4, 6, 8],
    [-2, 0, 2, 4, 6],
  ];
  const corners: [number, number][] = [
    [0, 0],
    [6, 0],
    [3, 4],
  ];
  return landscape('plane', [
    ...corners.map(([x, y], k) => point({ x, y }, bowl(x, y), k)),
    ...ys.flatMap((y) => xs.map((x) => point({ x, y }, bowl(x, y)))),
  ]);
})();

/** Losses 1 + (t / 2)² from the first, 1 + (t / 4)² from the second: they double at 2 and at 4. */
const rays = landscape(
  'rays',
  [1, 2].flatMap((from) => [
    point({ ray: 0, from, distance: 0 }, 1, from - 1),
    ...[1, 2].flatMap((ray) =>
      [1, 2, 3, 4, 5].map((t) => point({ ray, from, distance: t }, 1 + (t / 2 / from) ** 2)),
    ),
  ]),
);
const twoRays = { ...rays, solutions: rays.solutions.slice(0, 2) };

describe('files', () => {
  test('CSV has a line a point, words quoted where they must be', () => {
    const [head, ...rows] = landscapeCsv(line).trimEnd().split('\n');
    expect(head).toBe('point,distance,train_loss,train_error,test_loss,test_error,weight_norm');
    expect(rows).toEqual([
      '"SGD, last",4,0.5,1,1,25,10',
      'SWA,0,0.25,1,1,25,10',
      ',-2,NaN,1,1,25,10',
      ',2,0.3,1,1,25,10',
    ]);
    expect(landscapeCsv(plane).split('\n')[3]).toMatch(/^"third ""3""",3,4,/);
  });

  test('JSON has all of it', () => {
    const read = JSON.parse(landscapeJson(line, { more: [1] }));
    expect(read).toMatchObject({ format: 'swa-align landscape/1', kind: 'line', more: [1] });
    expect(read.points[0]).toMatchObject({ point: 'SGD, last', distance: 4, trainLoss: 0.5 });
    expect(read.points[2]).toMatchObject({ distance: -2, trainLoss: null, testWrong: 25 });
  });
});

describe('pictures', () => {
  const widths = widthsOf(twoRays, 2);
  test.each([
    ['a line', linePicture(line, draw)],
    ['a plane', planePicture(plane, draw)],
    ['rays', raysPicture(twoRays, draw, widths, 5)],
  ])('of %s are well-formed, in both colour schemes, told in words', (_, svg) => {
    expect(svgProblems(svg)).toEqual([]);
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    expect(svg).toMatch(/<desc>\S/);
    expect(svg).toContain('1,000 of 50,000 training images, 100 test images');
  });

  test('of a plane name the points and say what is clipped', () => {
    expect(planePicture(plane, draw)).not.toContain('is drawn as that');
    // Nothing lies below 0.01, and then nothing is clipped.
    expect(planePicture(plane, { ...draw, clipLoss: 0.01 })).not.toContain('is drawn as that');
    const svg = planePicture(plane, { ...draw, clipLoss: 1.2 });
    expect(svg).toContain('what is above 1.2 is drawn as that');
    expect(svg).toContain('0.75 at SGD, last, 0.75 at SWA');
    expect(svg.match(/class="spot"/g)).toHaveLength(6);
  });

  test('add half the weight decay times the squared norm, and say so', () => {
    const svg = planePicture(plane, { l2: 0.002 });
    expect(svg).toContain('cross-entropy + 0.001 × ‖w‖²');
    expect(svg).toContain('0.85 at SGD, last');
  });
});

describe('widths', () => {
  test('are distances at which the loss has risen, between points', () => {
    const [first, second] = widthsOf(twoRays, 2);
    expect(first).toMatchObject({ point: 'SGD, last', distances: [2, 2], median: 2 });
    expect(second).toMatchObject({ point: 'SWA', distances: [4, 4], median: 4 });
    expect(widthLine(first, 5)).toBe(
      'SGD, last: the training loss is 2 times as high at a distance of 2 (the median of 2 rays, 2 to 2)',
    );
    const [, far] = widthsOf(twoRays, 20);
    expect(far).toMatchObject({ distances: [null, null], median: null });
    expect(widthLine(far, 5)).toBe(
      'SWA: the training loss is 20 times as high beyond 5 (the median of 2 rays, 2 beyond 5)',
    );
  });

  test.each([
    ['between two points', [1, 1.5, 2.5], 2, 1.5],
    ['at a point', [1, 2], 2, 1],
    ['never', [1, 1.9], 2, undefined],
    ['where it is NaN', [1, Number.NaN], 2, 1],
    ['where it is infinite', [1, 1.1, Number.POSITIVE_INFINITY], 2, 2],
    ['at once, from a loss of nothing', [0, 0.1], 2, 0],
  ])('%s', (_, losses, factor, distance) => {
    const points = losses.map((loss, t) => [t, loss] as const);
    expect(riseDistance({ points }, factor)).toBe(distance);
  });

  test('have a median that counts what is not reached as farthest', () => {
    expect(medianDistance([3, 1, 2])).toBe(2);
    expect(medianDistance([1, undefined, 3, 2])).toBe(2.5);
    expect(medianDistance([1, undefined])).toBeUndefined();
    expect(medianDistance([undefined, 1, 2])).toBe(2);
  });
});

test('it is said which images were used', () => {
  expect(imagesUsed(line, true)).toEqual([
    'training loss on the first 1,000 of 50,000 training images, test error on all 100 test images',
    'batch-norm statistics of every point, from the same images',
  ]);
  const images = { ...line.images, train: 50_000, refresh: 500 };
  expect(imagesUsed({ images }, true)[1]).toBe(
    'batch-norm statistics of every point, from the first 500 of 50,000 training images',
  );
  expect(imagesUsed({ images }, false)).toHaveLength(1);
});
