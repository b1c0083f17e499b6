import { describe, expect, it } from 'vitest';
import { agree } from '../../../../test/support/backendAgainstOracle.ts';
import { seeded, uniform } from '../../../../test/support/draws.ts';
import { type OpCase, opCase } from '../../../../test/support/opCases.ts';
import { conv2d, input } from '../../../ir/build.ts';
import type { Pair } from '../../../ir/op.ts';
import { ortBackend } from '../cpu/ortBackend.ts';

interface Case {
  readonly why: string;
  readonly batch: number;
  /** In and out. */
  readonly channels: Pair;
  readonly map: Pair;
  readonly kernel: Pair;
  readonly stride?: Pair;
  readonly padding?: Pair;
}

/** At least one for each formulation, and one at either side of every limit between them. */
const cases: readonly Case[] = [
  {
    why: 'map smaller than the kernel',
    batch: 3,
    channels: [20, 24],
    map: [2, 2],
    kernel: [3, 3],
    padding: [1, 1],
  },
  { why: 'one place', batch: 2, channels: [17, 5], map: [1, 1], kernel: [3, 3], padding: [1, 1] },
  {
    why: 'map as large as the kernel',
    batch: 2,
    channels: [4, 6],
    map: [3, 3],
    kernel: [3, 3],
    padding: [1, 1],
  },
  {
    why: 'places that no tap joins',
    batch: 2,
    channels: [4, 6],
    map: [2, 4],
    kernel: [3, 3],
    padding: [1, 1],
  },
  { why: 'a single window', batch: 2, channels: [3, 4], map: [3, 3], kernel: [3, 3] },
  {
    why: 'tiles that hang over, by axes',
    batch: 2,
    channels: [5, 4],
    map: [7, 9],
    kernel: [3, 3],
    padding: [1, 0],
  },
  {
    why: 'whole input, result larger than a whole map',
    batch: 2,
    channels: [3, 4],
    map: [3, 3],
    kernel: [3, 3],
    padding: [2, 2],
  },
  {
    why: 'largest map for tiles',
    batch: 2,
    channels: [18, 17],
    map: [16, 16],
    kernel: [3, 3],
    padding: [1, 1],
  },
  {
    why: 'one place more than that',
    batch: 2,
    channels: [3, 4],
    map: [1, 257],
    kernel: [3, 3],
    padding: [1, 1],
  },
  { why: 'small map', batch: 3, channels: [18, 20], map: [4, 4], kernel: [3, 3], padding: [1, 1] },
  {
    why: 'small map under a wide kernel',
    batch: 2,
    channels: [5, 7],
    map: [4, 4],
    kernel: [1, 3],
    padding: [0, 1],
  },
  {
    why: 'small map that grows',
    batch: 2,
    channels: [5, 7],
    map: [3, 4],
    kernel: [2, 2],
    padding: [1, 1],
  },
  {
    why: 'small map, stride',
    batch: 2,
    channels: [5, 7],
    map: [4, 4],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1],
  },
  {
    why: 'middle map, few channels',
    batch: 2,
    channels: [3, 8],
    map: [8, 8],
    kernel: [3, 3],
    padding: [1, 1],
  },
  {
    why: 'middle map, many channels',
    batch: 2,
    channels: [17, 18],
    map: [8, 6],
    kernel: [3, 3],
    padding: [1, 1],
  },
  {
    why: 'middle map, stride',
    batch: 2,
    channels: [17, 18],
    map: [9, 8],
    kernel: [3, 3],
    stride: [2, 3],
    padding: [1, 0],
  },
  {
    why: 'wide map, many channels',
    batch: 2,
    channels: [17, 20],
    map: [4, 33],
    kernel: [3, 3],
    padding: [1, 1],
  },
  {
    why: 'wide map, few channels',
    batch: 2,
    channels: [3, 20],
    map: [32, 32],
    kernel: [3, 3],
    padding: [1, 1],
  },
  { why: '1×1 kernel', batch: 2, channels: [17, 9], map: [8, 8], kernel: [1, 1] },
  {
    why: 'padding wider than the kernel',
    batch: 2,
    channels: [2, 3],
    map: [5, 5],
    kernel: [2, 2],
    padding: [2, 2],
  },
];

/** The forward pass and both gradients of one geometry. */
function opCases({ why, batch, channels, map, kernel, ...rest }: Case, seed: number): OpCase[] {
  const params = {
    stride: rest.stride ?? ([1, 1] as const),
    padding: rest.padding ?? ([0, 0] as const),
  };
  const random = seeded(seed);
  const x = uniform(random, [batch, channels[0], ...map]);
  const w = uniform(random, [channels[1], channels[0], ...kernel]);
  const y = conv2d(input('x', x.shape), input('w', w.shape), params);
  const dy = uniform(random, y.shape);
  return [
    opCase(why, 'conv2d', params, [x, w]),
    opCase(why, 'conv2dInputGrad', { ...params, inputSize: map }, [dy, w]),
    opCase(why, 'conv2dWeightGrad', { ...params, kernel }, [x, dy]),
  ];
}

describe('convolution on ONNX Runtime, in every formulation', () => {
  it.each(cases.map((c, i) => [c.why, c, i] as const))('%s', async (_, geometry, seed) => {
    expect(await agree(await ortBackend(), opCases(geometry, seed))).toEqual([]);
  });
});
