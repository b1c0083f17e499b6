import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { needsSwiftshader, swiftshader, useSwiftshader } from '../../../../test/machine.ts';
import { seeded, uniform } from '../../../../test/support/draws.ts';
import { add, conv2d, input, reshape } from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import type { Program } from '../../../program/program.ts';
import { type Tensor, tensor, toFloat64 } from '../../../tensor/tensor.ts';
import type { Backend } from '../../backend.ts';
import { openOn } from '../../choose.ts';
import { oracleBackend } from '../../oracle/oracleBackend.ts';
import { onnxGraph } from '../onnx/onnxGraph.ts';
import { runOnnxModel } from '../onnx/onnxModel.ts';
import { channelParts, convInParts } from './inParts.ts';

describe('the parts of the channels', () => {
  const channels = fc.integer({ min: 1, max: 4096 });
  const products = fc.integer({ min: 1, max: 1024 });

  it('are all of them, nearly equal, and no more than it takes or four', () => {
    fc.assert(
      fc.property(channels, products, (count, each) => {
        const parts = channelParts(count, each);
        expect(parts.reduce((a, b) => a + b)).toBe(count);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
        expect(Math.min(...parts)).toBeGreaterThan(0);
        expect(parts.length).toBeLessThanOrEqual(4);
        if (count * each <= 1152) expect(parts).toEqual([count]);
      }),
    );
  });

  it('of 512 channels of 3×3 are four', () => {
    expect(channelParts(512, 9)).toEqual([128, 128, 128, 128]);
  });
});

it('gives what Conv gives, where sums are exact', async () => {
  const integers = fc.integer({ min: -8, max: 8 });
  const part = fc.integer({ min: 1, max: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(integers),
      async (parts, stream) => {
        const channels = parts.reduce((a, b) => a + b);
        const draw = (shape: number[]): Tensor => {
          const size = shape.reduce((a, b) => a * b);
          return tensor(
            'float32',
            shape,
            Float32Array.from({ length: size }, () => stream.next().value),
          );
        };
        const feeds = new Map([
          ['x', draw([2, channels, 4, 4])],
          ['w', draw([3, channels, 3, 3])],
        ]);
        const g = onnxGraph('parts');
        for (const [name, { shape }] of feeds) g.input(name, 'float', shape);
        const attributes = { pads: [1, 1, 1, 1], strides: [2, 2] };
        g.output('parts', convInParts(g, ['x', 'w'], parts, attributes), 'float', [2, 3, 2, 2]);
        g.output('whole', g.emit('Conv', ['x', 'w'], attributes), 'float', [2, 3, 2, 2]);
        const found = await runOnnxModel(g.toBytes(), feeds);
        expect(found.get('parts')!.data).toEqual(found.get('whole')!.data);
      },
    ),
    { numRuns: 20 },
  );
});

describe.skipIf(swiftshader === undefined)(
  `a Conv of 512 channels on WebGPU${needsSwiftshader}`,
  () => {
    let backend: Backend;
    beforeAll(async () => {
      useSwiftshader();
      ({ backend } = await openOn('ort', 'webgpu'));
    });
    afterAll(() => backend.close?.());

    /** Float32, every product of an output added to one sum, tap by tap. */
    function runningSums(x: Tensor, w: Tensor): number[] {
      const [n, channels] = x.shape;
      const [maps, kernels] = [toFloat64(x), toFloat64(w)];
      const sums: number[] = [];
      for (let image = 0; image < n; image++) {
        for (let o = 0; o < w.shape[0]; o++) {
          let sum = 0;
          for (let place = 0; place < 9; place++) {
            for (let c = 0; c < channels; c++) {
              const product = Math.fround(
                maps[(image * channels + c) * 9 + place] * kernels[(o * channels + c) * 9 + place],
              );
              sum = Math.fround(sum + product);
            }
          }
          sums.push(sum);
        }
      }
      return sums;
    }

    test('and a bias rounds less than one running sum', async () => {
      const random = seeded(5);
      const [x, w] = [uniform(random, [4, 512, 3, 3]), uniform(random, [16, 512, 3, 3])];
      const bias = uniform(random, [16]);
      const feeds = new Map([
        ['x', x],
        ['w', w],
        ['bias', bias],
      ]);
      const nodes = new Map([...feeds].map(([name, t]) => [name, input(name, t.shape)]));
      const [a, b, c] = [...nodes.values()];
      const y = add(conv2d(a, b, { stride: [1, 1], padding: [0, 0] }), reshape(c, [1, 16, 1, 1]));
      const program: Program = {
        name: 'wide',
        inputs: nodes as Map<string, Node<'input'>>,
        state: new Map(),
        fetches: new Map([['y', y]]),
      };
      const run = async (on: Backend): Promise<Float64Array> => {
        const executable = await on.compile(program, ['y']);
        const result = (await executable.run(new Map(), feeds)).get('y')!;
        await executable.dispose();
        return toFloat64(result);
      };
      const truth = await run(oracleBackend());
      const rms = (found: ArrayLike<number>): number =>
        Math.hypot(...truth.map((v, i) => found[i] - v)) / Math.hypot(...truth);
      const offsets = toFloat64(bias);
      const running = runningSums(x, w).map((sum, i) => Math.fround(sum + offsets[i % 16]));
      const error = rms(await run(backend));
      expect(rms(running)).toBeLessThan(1e-5);
      expect(error).toBeLessThan(0.7 * rms(running));
    }, 60_000);
  },
);
