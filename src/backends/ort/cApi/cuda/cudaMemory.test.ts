import { beforeAll, describe, expect, it } from 'vitest';
import { agree, agreementCases } from '../../../../../test/support/backendAgainstOracle.ts';
import { add, input } from '../../../../ir/build.ts';
import type { Node } from '../../../../ir/node.ts';
import { hasKoffi, type Koffi, loadKoffi } from '../../../../native/koffi.ts';
import { vgg } from '../../../../nn/models/vgg.ts';
import type { Program } from '../../../../program/program.ts';
import { scalar, type TensorMap, tensor } from '../../../../tensor/tensor.ts';
import type { Backend } from '../../../backend.ts';
import { targets } from '../../lowering/target.ts';
import { narrowTraining, trained } from '../../testdata/narrowTraining.ts';
import type { OrtApi } from '../api.ts';
import { cApiBackend } from '../cApiBackend.ts';
import { openLibrary } from '../library.ts';
import { hostMemory, memoryInfo } from '../memory.ts';
import { cpuProvider } from '../providers.ts';
import { cudaMemory } from './cudaMemory.ts';
import { type LazyDevice, lazyDevice } from './testdata/lazyDevice.ts';

const described = { device: 'cpu', description: 'lazy', threads: 1 };
const target = targets.cuda;

/** counter ← counter + step, with the sum as a fetch. */
function adding(size: number): Program {
  const [counter, step] = [input('counter', [size]), input('step', [])] as Node<'input'>[];
  const next = add(counter, step);
  return {
    name: 'adding',
    inputs: new Map([['step', step]]),
    state: new Map([['counter', { role: 'buffer', current: counter, next }]]),
    fetches: new Map([['sum', next]]),
  };
}

const zeros = (size: number): TensorMap =>
  new Map([['counter', tensor('float32', [size], new Float32Array(size))]]);

describe.skipIf(!hasKoffi())('memory of a card whose work waits in a stream (needs koffi)', () => {
  let koffi: Koffi;
  let api: OrtApi;
  beforeAll(async () => {
    koffi = await loadKoffi('the test is run');
    api = await openLibrary();
  });
  function opened(mostBytes?: number): { device: LazyDevice; backend: Backend } {
    const device = lazyDevice(koffi, api, mostBytes);
    const memory = cudaMemory(device.api, device.cuda, memoryInfo(api, 'Cpu'));
    const backend = cApiBackend({
      ...{ api: device.api, provider: cpuProvider, memory, target },
      ...described,
    });
    return { device, backend };
  }

  it('agrees with the oracle on every op', async () => {
    expect(await agree(opened().backend, agreementCases(6))).toEqual([]);
  }, 60_000);

  it('trains to the same bits whether steps wait for each other or not', async () => {
    const training = narrowTraining(vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 }));
    const host = cApiBackend({
      ...{ api, provider: cpuProvider, memory: hostMemory(api), target },
      ...described,
    });
    const expected = await trained(host, training);
    const { backend } = opened();
    expect(await trained(backend, training)).toEqual(expected);

    const executable = await backend.compile(training.program, ['loss', 'correct']);
    const state = await backend.upload(training.state);
    const begun = [];
    for (const feed of training.feeds) begun.push(await executable.start!(state, feed));
    const losses = await Promise.all(begun.map((left) => backend.download(left, ['loss'])));
    expect(losses[0].get('loss')).toEqual(expected.first.get('loss'));
    expect(losses[1].get('loss')).not.toEqual(expected.first.get('loss'));
    expect(await backend.download(state)).toEqual(expected.after);
  });

  it('gives the results of every step of a window, and waits once', async () => {
    const { device, backend } = opened();
    const executable = await backend.compile(adding(3), ['sum']);
    const state = await backend.upload(zeros(3));
    const waits = device.count.waits;
    const sums = [];
    for (let i = 1; i <= 20; i++) {
      const step = new Map([['step', scalar(i)]]);
      sums.push(await executable.start!(state, step));
    }
    expect(device.count.waits).toBe(waits);
    await backend.download(new Map());
    expect(device.count.waits).toBe(waits + 1);
    const lying = new Map(sums.map((left, i) => [`sum${i}`, left.get('sum')!]));
    const seen = await backend.download(lying);
    const triangular = Array.from({ length: 20 }, (_, i) => ((i + 1) * (i + 2)) / 2);
    expect([...seen.values()].map(({ data }) => data[2])).toEqual(triangular);
    await backend.free(lying);
    await backend.free(state);
    await executable.dispose();
  });

  it('takes no more memory from window to window', async () => {
    const { device, backend } = opened();
    const executable = await backend.compile(adding(3), ['sum']);
    const state = await backend.upload(zeros(3));
    const after: string[] = [];
    for (let i = 0; i < 60; i++) {
      const left = await executable.start!(state, new Map([['step', scalar(1)]]));
      if (i % 6 === 5) await backend.download(left);
      await backend.free(left);
      if (i % 6 === 5) after.push(`${device.count.allocated} and ${device.count.pinned} pinned`);
    }
    expect(new Set(after).size).toBe(1);
    expect(device.count.pinned).toBe(6);
    expect((await backend.download(state)).get('counter')!.data).toEqual(
      new Float32Array(3).fill(60),
    );
    await backend.free(state);
    await executable.dispose();
  });

  it('holds nothing more after it was full, and says so', async () => {
    const { device, backend } = opened(100_000);
    const many = new Map(['a', 'b', 'c'].map((name) => [name, zeros(20_000).get('counter')!]));
    await expect(backend.upload(many)).rejects.toThrow('CUDA: out of memory');
    await device.cuda.finished();
    expect(device.count.bytes).toBe(0);
    const state = await backend.upload(zeros(24_000));
    expect(device.count.bytes).toBe(96_000);
    await backend.free(state);
    expect(device.count.bytes).toBe(0);
  });
});
