/** The operations of residual networks, on their own maps with fewer channels, for any backend. */

import { seeded, uniform } from '../../../../test/support/draws.ts';
import { type OpCase, opCase } from '../../../../test/support/opCases.ts';
import { avgPool2d, conv2d, input } from '../../../ir/build.ts';
import type { Pair } from '../../../ir/op.ts';

export interface Geometry {
  readonly map: number;
  readonly channels: Pair;
  readonly kernel: number;
  readonly stride: number;
}

/** Every kind of convolution there is. */
export const geometries: readonly Geometry[] = [32, 16, 8].flatMap((map) => [
  { map, channels: [20, 5], kernel: 1, stride: 1 }, // into a bottleneck
  { map, channels: [5, 20], kernel: 1, stride: 1 }, // out of it
  { map, channels: [6, 6], kernel: 3, stride: 1 },
  ...(map === 8
    ? []
    : [
        { map, channels: [6, 6] as const, kernel: 3, stride: 2 },
        { map, channels: [18, 20] as const, kernel: 3, stride: 2 }, // wide
        { map, channels: [10, 20] as const, kernel: 1, stride: 2 }, // shortcut
      ]),
]);

/** A convolution of two images and both of its gradients. */
export function convolutionCases(
  { map, channels, kernel, stride }: Geometry,
  seed: number,
): OpCase[] {
  const side = (kernel - 1) / 2;
  const params = { stride: [stride, stride], padding: [side, side] } as const;
  const random = seeded(seed);
  const x = uniform(random, [2, channels[0], map, map]);
  const w = uniform(random, [channels[1], channels[0], kernel, kernel]);
  const dy = uniform(random, conv2d(input('x', x.shape), input('w', w.shape), params).shape);
  const name = `${kernel}×${kernel}, stride ${stride}, ${map}×${map}`;
  return [
    opCase(name, 'conv2d', params, [x, w]),
    opCase(name, 'conv2dInputGrad', { ...params, inputSize: [map, map] }, [dy, w]),
    opCase(name, 'conv2dWeightGrad', { ...params, kernel: [kernel, kernel] }, [x, dy]),
  ];
}

/** The pooling at the end, over the whole 8×8 map. */
export function poolingCases(): OpCase[] {
  const window = { kernel: [8, 8], stride: [8, 8], padding: [0, 0] } as const;
  const random = seeded(99);
  const x = uniform(random, [2, 12, 8, 8]);
  const dy = uniform(random, avgPool2d(input('x', x.shape), window).shape);
  return [
    opCase('whole map', 'avgPool2d', window, [x]),
    opCase('whole map', 'avgPool2dGrad', { ...window, inputSize: [8, 8] }, [dy]),
  ];
}
