/** ONNX Runtime's WebGPU provider on a software GPU: the same kernels, driver aside, as on a real one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needsSwiftshader, swiftshader, useSwiftshader } from '../../../../test/machine.ts';
import { agree, agreementCases } from '../../../../test/support/backendAgainstOracle.ts';
import { tolerances } from '../../../align/judge/tolerances.ts';
import { sha256Hex } from '../../../io/sha256/sha256.ts';
import { add, broadcastTo, input, reduceSum } from '../../../ir/build.ts';
import { vgg } from '../../../nn/models/vgg.ts';
import type { Program } from '../../../program/program.ts';
import { bytesOf, type TensorMap, tensor } from '../../../tensor/tensor.ts';
import type { Backend } from '../../backend.ts';
import { type Opened, onRealGpu, openOn } from '../../choose.ts';
import { oracleBackend } from '../../oracle/oracleBackend.ts';
import { onnxGraph } from '../onnx/onnxGraph.ts';
import {
  type NarrowTraining,
  narrowTraining,
  trained,
  worstErrors,
} from '../testdata/narrowTraining.ts';
import { openSession } from './webgpuSession.ts';

const narrowVgg = (batchNorm: boolean): NarrowTraining =>
  narrowTraining(vgg({ depth: 16, batchNorm, classes: 10, narrow: 16 }));

/** By SHA-256, so that a difference names its tensor. */
const bits = (values: TensorMap): Record<string, string> =>
  Object.fromEntries([...values].map(([name, t]) => [name, sha256Hex(bytesOf(t))]));

describe.skipIf(swiftshader === undefined)(`WebGPU${needsSwiftshader}`, () => {
  let opened: Opened;
  let backend: Backend;
  beforeAll(async () => {
    useSwiftshader();
    opened = await openOn('ort', 'webgpu');
    ({ backend } = opened);
  });
  afterAll(() => backend.close?.());

  test('says which GPU it runs on, and that it is software, which auto never takes', async () => {
    expect(opened.adapter).toMatchObject({ kind: 'software', name: /SwiftShader/ });
    expect(backend.description).toMatch(
      /^ONNX Runtime .*, WebGPU on SwiftShader .*, a software GPU$/,
    );
    expect(await onRealGpu('ort', {}, true)).toBeUndefined();
  });

  test('agrees with the oracle on every op, none of it on the CPU', async () => {
    expect(await agree(backend, agreementCases(3))).toEqual([]);
  }, 120_000);

  test('an operator that the provider lacks would be refused', async () => {
    const graph = onnxGraph('sign');
    graph.input('x', 'float', [2]);
    graph.output('y', graph.emit('Sign', ['x']), 'float', [2]);
    await expect(openSession(graph.toBytes(), {})).rejects.toThrow(
      'assigned to the default CPU EP',
    );
  });

  test.each([
    ['VGG16', false, tolerances.relativeL2],
    ['VGG16BN', true, tolerances.relativeL2BatchNorm],
  ])(
    'a narrow %s trains with an error to the truth within the bar',
    async (_, batchNorm, bar) => {
      const narrow = narrowVgg(batchNorm);
      const truth = await trained(oracleBackend(), narrow);
      const { first, after } = worstErrors(await trained(backend, narrow), truth);
      expect(first).toBeLessThan(bar);
      expect(after).toBeLessThan(bar);
    },
    180_000,
  );

  test('what `start` leaves on the device is what `run` brings', async () => {
    const { program, state, feeds } = narrowVgg(false);
    const executable = await backend.compile(program, ['loss', 'correct']);
    const [a, b] = [await backend.upload(state), await backend.upload(state)];
    const lying = await executable.start!(a, feeds[0]);
    const brought = await executable.run(b, feeds[0]);
    expect(bits(await backend.download(lying))).toEqual(bits(brought));
    expect(bits(await backend.download(a))).toEqual(bits(await backend.download(b)));
    for (const held of [lying, a, b]) await backend.free(held);
    await executable.dispose();
  }, 120_000);

  test('two processes at once give the same bits', async () => {
    const other = await openOn('ort', 'webgpu');
    const narrow = narrowVgg(false);
    const runs = await Promise.all([backend, other.backend].map((on) => trained(on, narrow)));
    expect(bits(runs[0].after)).toEqual(bits(runs[1].after));
    await other.backend.close?.();
  }, 180_000);

  test('more than the device has is refused in a line, and it goes on', async () => {
    const x = input('x', [1, 16]);
    const huge = 2 ** 26;
    const y = reduceSum(add(broadcastTo(x, [huge, 16]), 1), [0, 1]);
    const program: Program = {
      name: 'huge program',
      inputs: new Map([['x', x]]),
      state: new Map(),
      fetches: new Map([['y', y]]),
    };
    const ones = new Map([['x', tensor('float32', [1, 16], new Float32Array(16).fill(1))]]);
    const executable = await backend.compile(program, ['y']);
    const failing = executable.run(new Map(), ones);
    await expect(failing).rejects.toThrow(
      /^the GPU failed in the huge program: it has no room for a buffer \(.*smaller batch/,
    );
    await expect(failing).rejects.toThrow(/^[^\n]+$/);
    const state = await backend.upload(ones);
    expect((await backend.download(state)).get('x')!.data).toEqual(new Float32Array(16).fill(1));
  }, 120_000);
});
