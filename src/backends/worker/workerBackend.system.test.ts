import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agree, agreementCases } from '../../../test/support/backendAgainstOracle.ts';
import { DeviceError, GraphError, UsageError } from '../../errors.ts';
import { add, input } from '../../ir/build.ts';
import type { Node } from '../../ir/node.ts';
import { hasKoffi } from '../../native/koffi.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { initPlan } from '../../nn/module.ts';
import type { Program } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import { bytesOf, scalar, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { manualSeed } from '../../torch/generator.ts';
import { initialise } from '../../torch/initialise.ts';
import { normal } from '../../torch/normal.ts';
import type { Backend, Executable } from '../backend.ts';
import { ortBackend } from '../ort/cpu/ortBackend.ts';
import { longInputs, longProgram } from './testdata/longProgram.ts';
import { startThread } from './thread/startThread.ts';
import { backendIn, workerBackend } from './workerBackend.ts';

let backend: Backend;
let inProcess: Backend;
beforeAll(async () => {
  backend = await workerBackend('ort', { threads: 1 });
  inProcess = await ortBackend({ threads: 1 });
});
afterAll(() => backend.close?.());

/** counter ← counter + step, with what it was before as a fetch. */
function counting(): Program {
  const [counter, step] = [input('counter', [2]), input('step', [])];
  return {
    name: 'counting',
    inputs: new Map([['step', step]]),
    state: new Map([['counter', { current: counter, next: add(counter, step) }]]),
    fetches: new Map([['before', add(counter, 0)]]),
  };
}
const step = new Map([['step', scalar(1)]]);
const zero = (): Map<string, Tensor> =>
  new Map([['counter', tensor('float32', [2], new Float32Array(2))]]);

const bytes = (values: TensorMap): Map<string, string> =>
  new Map([...values].map(([name, t]) => [name, Buffer.from(bytesOf(t)).toString('base64')]));

describe('a backend in a thread of its own', () => {
  test('says the same of itself', () => {
    const { name, device, precision, description } = inProcess;
    expect(backend).toMatchObject({ name, device, precision, description });
  });

  test('agrees with the oracle on every op', async () => {
    expect(await agree(backend, agreementCases(2))).toEqual([]);
  });

  test('trains to the same bits: loss, gradient and all state', async () => {
    const model = vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 });
    const settings = {
      optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
      dropout: true,
    } as const;
    const program = trainingStep(model, { images: [8, 3, 32, 32], ...settings });
    const g = manualSeed(4);
    const weights = initialise(initPlan(model), g);
    const filled = (node: Node<'input'>, at: (i: number) => number): Tensor<'float32'> => {
      const size = node.shape.reduce((a, b) => a * b, 1);
      return tensor(
        'float32',
        node.shape,
        Float32Array.from({ length: size }, (_, i) => at(i)),
      );
    };
    const state = new Map<string, Tensor>();
    for (const [name, { current }] of program.state) {
      state.set(name, weights.get(name) ?? filled(current, () => 0));
    }
    const inputs = new Map<string, Tensor>();
    for (const [name, node] of program.inputs)
      inputs.set(
        name,
        filled(node, (i) => i % 2),
      );
    normal(g, inputs.get('images')!.data as Float32Array, 0, 1);
    inputs.set(
      'labels',
      tensor(
        'int64',
        [8],
        BigInt64Array.from({ length: 8 }, (_, i) => BigInt(i)),
      ),
    );
    inputs.set('lr', scalar(0.05));

    const trained = async (on: Backend) => {
      const executable = await on.compile(program, ['loss', 'features.0.weight.grad']);
      const held = await on.upload(state);
      const steps = [];
      for (let i = 0; i < 3; i++) steps.push(bytes(await executable.run(held, inputs)));
      const end = bytes(await on.download(held));
      await executable.dispose();
      await on.free(held);
      return { steps, end };
    };
    expect(await trained(backend)).toEqual(await trained(inProcess));
  });

  test('shares the memory of a room, and no other', async () => {
    const room = await backend.room?.(4);
    if (!hasKoffi()) return expect(room).toBeUndefined();
    const named = (data: Float32Array) => new Map([['x', tensor('float32', [2], data)]]);
    const [from, to] = [room!.subarray(0, 2), room!.subarray(2)];
    const x = input('x', [2]) as Node<'input'>;
    const doubled: Program = {
      ...{ name: 'doubled', state: new Map(), inputs: new Map([['x', x]]) },
      fetches: new Map([['y', add(x, x)]]),
    };
    const executable = await backend.compile(doubled, ['y']);
    from.set([1, 2]);
    const into = new Map([['y', named(to).get('x')!]]);
    const results = await executable.run(new Map(), named(from), into);
    expect([...room!]).toEqual([1, 2, 2, 4]);
    expect([...results.get('y')!.data]).toEqual([2, 4]);
    await executable.run(new Map(), named(to));
    expect([...room!]).toEqual([1, 2, 2, 4]);
    // So large that an update is a walk over it.
    const size = 1 << 15;
    const [w, g] = ['w', 'g'].map((name) => input(name, [size])) as Node<'input'>[];
    const moved: Program = {
      ...{ name: 'moved', inputs: new Map([['g', g]]), fetches: new Map() },
      state: new Map([['w', { current: w, next: add(w, g) }]]),
    };
    const large = (await backend.room!(size))!;
    const walked = await backend.compile(moved, []);
    const state = await backend.upload(
      new Map([['w', tensor('float32', [size], new Float32Array(size))]]),
    );
    for (const value of [1, 2]) {
      large.fill(value);
      await walked.run(state, new Map([['g', tensor('float32', [size], large)]]));
    }
    const { data } = (await backend.download(state)).get('w')!;
    expect([data[0], data[size - 1]]).toEqual([3, 3]);
    await backend.free(state);
    await walked.dispose();
    await executable.dispose();
  });

  test('leaves what it is given to whoever gave it', async () => {
    const executable = await backend.compile(counting(), ['before']);
    const values = zero();
    const state = await backend.upload(values);
    await executable.run(state, step);
    await executable.run(state, step);
    expect(values.get('counter')!.data).toEqual(new Float32Array(2));
    expect(step.get('step')!.data).toEqual(Float64Array.of(1));
    const held = (await backend.download(state)).get('counter') as Tensor<'float32'>;
    expect(held.data).toEqual(Float32Array.of(2, 2));
    held.data.fill(7);
    expect((await executable.run(state, step)).get('before')!.data).toEqual(Float32Array.of(2, 2));
  });

  test('a graph of 5,000 nodes in a row crosses', async () => {
    const x = input('x', []);
    let y: Node = x;
    for (let i = 0; i < 5000; i++) y = add(y, x);
    const program: Program = {
      name: 'deep',
      inputs: new Map([['x', x]]),
      state: new Map(),
      fetches: new Map([['y', y]]),
    };
    expect(() => structuredClone(y)).toThrow(RangeError);
    const executable = await backend.compile(program, ['y']);
    const results = await executable.run(new Map(), new Map([['x', scalar(1)]]));
    expect(results.get('y')!.data).toEqual(Float32Array.of(5001));
  });
});

describe('device tensors', () => {
  test('a run replaces what changes; a copy of the map from before is refused', async () => {
    const executable = await backend.compile(counting(), ['before']);
    const state = await backend.upload(zero());
    const copy = new Map(state);
    await executable.run(state, step);
    expect(state.get('counter')).not.toBe(copy.get('counter'));
    const gone = "state counter was replaced by a run, freed, or is another backend's";
    await expect(backend.download(copy)).rejects.toThrow(gone);
    await expect(executable.run(copy, step)).rejects.toThrow(GraphError);
    await expect(executable.run(await inProcess.upload(zero()), step)).rejects.toThrow(gone);
    await expect(backend.download(state, ['other'])).rejects.toThrow('no state called other');
  });

  test('a run that fails leaves the state as it was', async () => {
    const executable = await backend.compile(counting(), ['before']);
    const state = await backend.upload(zero());
    await expect(executable.run(state, new Map())).rejects.toThrow('input step is missing');
    await executable.run(state, step);
    expect((await backend.download(state)).get('counter')!.data).toEqual(Float32Array.of(1, 1));
  });

  test('what is freed is empty, and freed again without harm', async () => {
    const state = await backend.upload(zero());
    const copy = new Map(state);
    await backend.free(state);
    expect(state.size).toBe(0);
    await expect(backend.download(copy)).rejects.toThrow(
      'state counter was replaced by a run, freed',
    );
    await backend.free(copy);
    expect(copy.size).toBe(0);
  });

  test('two runs at once on one state: the second is refused, and nothing is lost', async () => {
    const executable = await backend.compile(counting(), ['before']);
    const state = await backend.upload(zero());
    const [first, second] = [executable.run(state, step), executable.run(state, step)];
    await first;
    await expect(second).rejects.toThrow('state counter was replaced or freed');
    expect((await backend.download(state)).get('counter')!.data).toEqual(Float32Array.of(1, 1));
  });
});

describe('errors', () => {
  test('arrive as what they are', async () => {
    await expect(backend.compile(counting(), ['nothing'])).rejects.toThrow(GraphError);
    await expect(backend.compile(counting(), ['nothing'])).rejects.toThrow(
      'counting has nothing called nothing',
    );
    const executable = await backend.compile(counting(), ['before']);
    await expect(executable.run(new Map(), step)).rejects.toThrow('state counter is missing');
    await expect(workerBackend('abacus')).rejects.toThrow(UsageError);
  });
});

describe('the main thread', () => {
  /** Whether the event loop turns while a long run is under way. */
  async function turnsBeside(executable: Executable): Promise<boolean> {
    let under = true;
    const running = executable.run(new Map(), longInputs()).finally(() => {
      under = false;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next));
    const turned = under;
    const y = (await running).get('y')!;
    expect((y.data as Float32Array)[5]).toBeCloseTo(1 / 2048, 7);
    return turned;
  }

  test('goes on while a program runs, and without the thread does not', async () => {
    const [beside, here] = [backend, inProcess].map((on) => on.compile(longProgram(), ['y']));
    expect(await turnsBeside(await beside)).toBe(true);
    expect(await turnsBeside(await here)).toBe(false);
  });
});

describe('a thread that dies', () => {
  const died = /^the thread that the oracle backend ran in ended .*; start the command again/;

  test('rejects what is under way and all that follows, in one line', async () => {
    const worker = startThread('oracle', {});
    const oracle = await backendIn(worker, 'oracle');
    const executable = await oracle.compile(longProgram(), ['y']);
    const state = await oracle.upload(zero());
    const running = executable.run(new Map(), longInputs());
    const waiting = oracle.download(state);
    const both = Promise.allSettled([running, waiting]);
    await setTimeout(200);
    await worker.terminate();
    for (const result of await both) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(DeviceError) });
    }
    await expect(running).rejects.toThrow(died);
    await expect(oracle.upload(zero())).rejects.toThrow(died);
    await expect(executable.run(new Map(), new Map())).rejects.toThrow(DeviceError);
    // What lay there is gone with it, so cleaning up does not hide the error that matters.
    await oracle.free(state);
    await executable.dispose();
    await oracle.close?.();
  });

  test('of an error nobody caught there says which', async () => {
    const worker = startThread('oracle', {});
    const oracle = await backendIn(worker, 'oracle');
    // No message that anyone sends: the thread cannot read it.
    worker.postMessage(undefined);
    await expect(oracle.upload(zero())).rejects.toThrow(
      /^the thread that the oracle backend ran in ended \(.*undefined.*\)/,
    );
  });

  test('a closed backend has done what it was asked, and says that it is closed', async () => {
    const oracle = await workerBackend('oracle');
    const state = oracle.upload(zero());
    const closing = oracle.close!();
    expect((await state).size).toBe(1);
    await closing;
    await expect(oracle.upload(zero())).rejects.toThrow('the oracle backend was closed');
    await oracle.close!();
  });
});
