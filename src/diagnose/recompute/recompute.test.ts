import { describe, expect, it } from 'vitest';
import { openReference } from '../../align/reference/reference.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { layerOf } from '../layer.ts';
import { opOrigins } from '../stages/opOrigins.ts';
import {
  asKernels,
  asMaps,
  type Block,
  convolutionOf,
  convolved,
  sentBack,
  weightSentBack,
} from './convolution.ts';
import { pooledBack, poolingOf, shared, taken, windowAt } from './pooling.ts';

const reference = openReference(`${fixturesDirectory}/reference/vgg16`, 'vgg16');
const { file } = reference.stage('ops');
const arrays = reference.arrays(file);
const { origins } = opOrigins(reference);

/** What PyTorch was given in a case, or computed in float64. */
const block = (key: string): Block => {
  const found = arrays.get(`f64/${key}`) ?? arrays.get(`given/${key}`)!;
  return { shape: found.shape, data: found.data as ArrayLike<number> };
};

const layerIn = (of: string) => layerOf(origins.get(`${of}/y`)!.what);

const casesOf = (...ops: readonly string[]): string[] =>
  [...new Set([...origins.keys()].map((name) => name.split('/')[0]))].filter((of) =>
    ops.includes(of.split(' ')[0]),
  );

function expectNear(found: (position: number) => number, key: string): void {
  const { data } = block(key);
  expect(data.length).toBeGreaterThan(0);
  for (let at = 0; at < data.length; at++)
    expect(Math.abs(found(at) - data[at]), `${key} at ${at}`).toBeLessThan(1e-12);
}

describe('what is computed anew is what PyTorch computes in float64', () => {
  it.each(casesOf('conv2d', 'linear'))('%s, forwards and back', (of) => {
    const moves = convolutionOf(layerIn(of))!;
    const maps = (key: string): Block => asMaps(block(`${of}/${key}`), moves.linear);
    const [x, y, dy] = [maps('x'), maps('y'), maps('dy')];
    const w = asKernels(block(`${of}/weight`));
    const bias = block(`${of}/bias`).data;
    const plain = convolved(x, w, [y.shape[2], y.shape[3]], moves);
    const map = y.shape[2] * y.shape[3];
    expectNear((at) => plain(at) + bias[Math.floor(at / map) % bias.length], `${of}/y`);
    expectNear(sentBack(dy, w, [x.shape[2], x.shape[3]], moves), `${of}/x.grad`);
    expectNear(weightSentBack(x, dy, w.shape, moves), `${of}/weight.grad`);
  });

  it.each(casesOf('maxPool2d', 'avgPool2d'))('%s, forwards and back', (of) => {
    const pooling = poolingOf(layerIn(of))!;
    const [x, y, dy] = ['x', 'y', 'dy'].map((key) => block(`${of}/${key}`));
    const window = windowAt(x, y.shape.slice(2), pooling);
    const size = pooling.kernel[0] * pooling.kernel[1];
    const take = taken[pooling.takes];
    expectNear(
      (at) =>
        take(
          window(at).map((place) => x.data[place]),
          size,
        ),
      `${of}/y`,
    );
    const share = shared[pooling.takes === 'maximum' ? 'the first maximum' : 'all places alike'];
    const dx = pooledBack(x, dy, pooling, share);
    expectNear((at) => dx[at], `${of}/x.grad`);
  });
});
