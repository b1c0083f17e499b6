import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agree, agreementCases } from '../../../../test/support/backendAgainstOracle.ts';
import { DeviceError, GraphError } from '../../../errors.ts';
import { add, input } from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import { hasKoffi } from '../../../native/koffi.ts';
import { vgg } from '../../../nn/models/vgg.ts';
import type { Program } from '../../../program/program.ts';
import { scalar, type TensorMap, tensor } from '../../../tensor/tensor.ts';
import type { Backend, DeviceState } from '../../backend.ts';
import { ortBackend } from '../cpu/ortBackend.ts';
import { type Target, targets } from '../lowering/target.ts';
import { narrowTraining, trained } from '../testdata/narrowTraining.ts';
import type { OrtApi } from './api.ts';
import { cApiBackend } from './cApiBackend.ts';
import { cpuByCApi } from './cpuByCApi.ts';
import { libraryIn, openLibrary } from './library.ts';
import { hostMemory } from './memory.ts';
import { cpuProvider } from './providers.ts';

/** What was made and not released yet, by the function that makes it. */
function counting(api: OrtApi) {
  const made: Record<string, number> = {};
  const count = (name: string, by: number) => {
    const kind = name
      .replace(/^(Create|Release)/, '')
      .replace(/(TensorWithDataAsOrt|FromArray)/, '');
    made[kind] = (made[kind] ?? 0) + by;
  };
  const counted: OrtApi = {
    ...api,
    call(name, ...args) {
      api.call(name, ...args);
      if (name.startsWith('Release')) count(name, -1);
    },
    make(name, ...args) {
      const handles = api.make(name, ...args);
      if (name.startsWith('Create')) count(name, 1);
      return handles;
    },
    async makeAside(name, ...args) {
      const handles = await api.makeAside(name, ...args);
      count(name, 1);
      return handles;
    },
  };
  return { api: counted, made };
}

const backendOn = (api: OrtApi, provider = cpuProvider, target: Target = targets.cpu): Backend =>
  cApiBackend({
    ...{ api, provider, memory: hostMemory(api), target },
    ...{ device: 'cpu', description: 'counted', threads: 1 },
  });

/** counter ← counter + step, with what it was before as a fetch. */
function adding(): Program {
  const [counter, step] = [input('counter', [2]), input('step', [])] as Node<'input'>[];
  return {
    name: 'adding',
    inputs: new Map([['step', step]]),
    state: new Map([['counter', { role: 'buffer', current: counter, next: add(counter, step) }]]),
    fetches: new Map([['before', counter]]),
  };
}

const step = new Map([['step', scalar(1)]]);
const zero: TensorMap = new Map([['counter', tensor('float32', [2], Float32Array.of(0, 10))]]);
const narrow = () => vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 });

describe.skipIf(!hasKoffi())("ONNX Runtime's C API on the CPU (needs koffi)", () => {
  let api: OrtApi;
  beforeAll(async () => {
    api = await openLibrary();
  });

  it('agrees with the oracle on every op', async () => {
    expect(await agree(await cpuByCApi({ threads: 2 }), agreementCases(6))).toEqual([]);
  }, 60_000);

  it('agrees with it in the operators of the CUDA provider too', async () => {
    const backend = backendOn(api, cpuProvider, targets.cuda);
    expect(await agree(backend, agreementCases(6))).toEqual([]);
  }, 60_000);

  it('trains to the bits of the JavaScript binding', async () => {
    const training = narrowTraining(narrow());
    const [ours, theirs] = await Promise.all(
      [await cpuByCApi({ threads: 1 }), await ortBackend({ threads: 1 })].map((on) =>
        trained(on, training),
      ),
    );
    expect(ours.after.size).toBeGreaterThan(50);
    expect(ours).toEqual(theirs);
  });

  describe('what is made is released', () => {
    let counted: ReturnType<typeof counting>;
    let backend: Backend;
    beforeEach(() => {
      counted = counting(api);
      backend = backendOn(counted.api);
    });
    afterEach(() => {
      const { Env, MemoryInfo, ...others } = counted.made;
      expect(Object.keys(others)).toEqual(expect.arrayContaining(['SessionOptions', 'Session']));
      expect(Object.values(others).filter((count) => count !== 0)).toEqual([]);
    });

    it('by a thousand runs, whose state takes turns in the same memory', async () => {
      const executable = await backend.compile(adding(), ['before']);
      const state = await backend.upload(zero);
      let last: TensorMap = new Map();
      const alive = new Set<number>();
      for (let i = 0; i < 1000; i++) {
        last = await executable.run(state, step);
        alive.add(counted.made.Value);
      }
      expect(last.get('before')!.data).toEqual(Float32Array.of(999, 1009));
      expect((await backend.download(state)).get('counter')!.data).toEqual(
        Float32Array.of(1000, 1010),
      );
      // The state, and the memory that it had a run before.
      expect([...alive]).toEqual([2]);
      await backend.free(state);
      await executable.dispose();
    });

    it('where a run fails, which leaves the state as it was', async () => {
      const executable = await backend.compile(adding(), ['before']);
      const state = await backend.upload(zero);
      await executable.run(state, step);
      const wrong = { ...tensor('float32', [], new Float32Array(1)), shape: [3] };
      await expect(executable.run(state, new Map([['step', wrong]]))).rejects.toThrow(GraphError);
      await expect(executable.run(state, new Map())).rejects.toThrow('input step is missing');
      await executable.run(state, step);
      expect((await backend.download(state)).get('counter')!.data).toEqual(Float32Array.of(2, 12));
      await backend.free(state);
      await executable.dispose();
    });

    it('where a provider does not take every node, which is named', async () => {
      const gpu = backendOn(counted.api, { ...cpuProvider, name: 'CUDAExecutionProvider' });
      await expect(gpu.compile(adding(), ['before'])).rejects.toThrow(
        /^ONNX Runtime refused the adding: CUDAExecutionProvider has no (Add|Identity) for /,
      );
    });
  });

  it('does not touch what was uploaded, fed or read before', async () => {
    const backend = backendOn(api);
    const executable = await backend.compile(adding(), ['before']);
    const values = new Map([['counter', tensor('float32', [2], Float32Array.of(0, 10))]]);
    const state: DeviceState = await backend.upload(values);
    const results = [await executable.run(state, step), await executable.run(state, step)];
    const read = await backend.download(state);
    await executable.run(state, step);
    await executable.run(state, step);
    const numbers = (from: TensorMap, name: string) => [...from.get(name)!.data];
    expect(numbers(values, 'counter')).toEqual([0, 10]);
    expect(results.map((one) => numbers(one, 'before'))).toEqual([
      [0, 10],
      [1, 11],
    ]);
    expect(numbers(read, 'counter')).toEqual([2, 12]);
    await expect(backend.download(state, ['nothing'])).rejects.toThrow('no state called nothing');
    await backend.free(state);
    expect(state.size).toBe(0);
    await executable.dispose();
  });

  it('refuses a value that a run has replaced or that was freed, and frees nothing twice', async () => {
    const backend = backendOn(api);
    const executable = await backend.compile(adding(), ['before']);
    const state = await backend.upload(zero);
    const old: DeviceState = new Map(state);
    await executable.run(state, step);
    const gone = 'state counter was replaced by a run, or freed';
    await expect(executable.run(old, step)).rejects.toThrow(gone);
    await expect(backend.download(old)).rejects.toThrow(gone);
    const copy: DeviceState = new Map(state);
    await backend.free(old);
    await backend.free(state);
    await expect(backend.download(copy)).rejects.toThrow(gone);
    await backend.free(copy);
    await executable.dispose();
  });

  it('releases nothing beneath a run that is under way', async () => {
    const backend = backendOn(api);
    const training = narrowTraining(narrow());
    const executable = await backend.compile(training.program, ['loss']);
    const state = await backend.upload(training.state);
    let ended = false;
    const running = executable.run(state, training.feeds[0]).then((results) => {
      ended = true;
      return results;
    });
    const freeing = backend.free(state).then(() => ended);
    const disposing = executable.dispose().then(() => ended);
    expect(ended).toBe(false);
    expect((await running).get('loss')!.data[0]).toBeGreaterThan(0);
    expect([await freeing, await disposing]).toEqual([true, true]);
    await executable.dispose();
    await expect(executable.run(state, training.feeds[0])).rejects.toThrow(
      'the training step was disposed of',
    );
  });

  it('says what the library says of a model that it refuses', async () => {
    const [environment] = api.make('CreateEnv', 3, 'test');
    const [options] = api.make('CreateSessionOptions');
    const nonsense = Uint8Array.of(1, 2, 3);
    await expect(
      api.makeAside('CreateSessionFromArray', environment, nonsense, 3, options),
    ).rejects.toThrow(DeviceError);
    api.call('ReleaseSessionOptions', options);
  });

  it('refuses a file that is not the library, and finds none in an empty folder', async () => {
    await expect(openLibrary('/dev/null')).rejects.toThrow(
      /^\/dev\/null: is not an ONNX Runtime that can be loaded: /,
    );
    expect(libraryIn('/nowhere')).toBeUndefined();
  });
});
