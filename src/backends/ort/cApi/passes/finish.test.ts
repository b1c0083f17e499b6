import { beforeAll, describe, expect, it } from 'vitest';
import { add, input, mul, sub } from '../../../../ir/build.ts';
import type { Node } from '../../../../ir/node.ts';
import { hasKoffi } from '../../../../native/koffi.ts';
import { vgg } from '../../../../nn/models/vgg.ts';
import type { Program } from '../../../../program/program.ts';
import { type TensorMap, tensor } from '../../../../tensor/tensor.ts';
import { watch } from '../../../../train/health/finiteProbes.ts';
import type { Backend } from '../../../backend.ts';
import { ortBackend } from '../../cpu/ortBackend.ts';
import { targets } from '../../lowering/target.ts';
import { narrowTraining, trained } from '../../testdata/narrowTraining.ts';
import type { OrtApi } from '../api.ts';
import { cApiBackend } from '../cApiBackend.ts';
import { cpuByCApi } from '../cpuByCApi.ts';
import { openLibrary } from '../library.ts';
import { hostMemory } from '../memory.ts';
import { cpuProvider } from '../providers.ts';
import { drawn, optimizers, updates } from './testdata/updates.ts';
import { reachedMemory, type WasmMemory, wasmMemory } from './wasmMemory.ts';

interface Run {
  readonly program: Program;
  readonly begin: TensorMap;
  readonly feeds: readonly TensorMap[];
}

async function stateAfter(
  backend: Backend,
  { program, begin, feeds }: Run,
  fetches: string[] = [],
) {
  const executable = await backend.compile(program, fetches);
  const state = await backend.upload(begin);
  const fetched: TensorMap[] = [];
  for (const inputs of feeds) fetched.push(await executable.run(state, inputs));
  const after = await backend.download(state);
  await executable.dispose();
  await backend.free(state);
  return { after, fetched };
}

const [a, b, c] = ['a', 'b', 'c'].map((name) => input(name, [6]) as Node<'input'>);

describe.skipIf(!hasKoffi())('passes behind ONNX Runtime (needs koffi)', () => {
  let api: OrtApi;
  beforeAll(async () => {
    api = await openLibrary();
  });

  it.each(optimizers)('update by $kind to the bits of the engine', async (settings) => {
    const run = updates(settings);
    const theirs = await stateAfter(await ortBackend(), run, [watch]);
    // With passes for all but the bias, and for all: then nothing is left to the engine.
    for (const least of [8, 2]) {
      const ours = await stateAfter(await cpuByCApi({ least }), run, [watch]);
      expect(ours.after).toEqual(theirs.after);
      const [sums, theirSums] = [ours, theirs].map(({ fetched }) =>
        fetched.map((values) => values.get(watch)!.data[0]),
      );
      for (const [i, value] of sums.entries()) expect(value).toBeCloseTo(Number(theirSums[i]), 4);
    }
  });

  it('train a network to the bits of the engine', async () => {
    const training = narrowTraining(vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 }));
    const ours = await trained(await cpuByCApi({ threads: 1, least: 2 }), training);
    expect(ours.after.size).toBeGreaterThan(50);
    expect(ours).toEqual(await trained(await ortBackend({ threads: 1 }), training));
  });

  const backendWith = (
    state: 'reached' | 'elsewhere',
    on: OrtApi = api,
    wasm: WasmMemory = wasmMemory(),
  ): Backend => {
    const memory = reachedMemory(on, wasm, 2);
    return cApiBackend({
      ...{ api: on, provider: cpuProvider, target: targets.cpu, threads: 1 },
      ...{ device: 'cpu', description: 'with passes', passes: { memory, least: 2 } },
      memory: state === 'reached' ? memory : hostMemory(on),
    });
  };

  it.each([
    ['lies elsewhere', () => backendWith('elsewhere')],
    ['has no room', () => backendWith('reached', api, fullMemory())],
  ] as const)('leave a state that %s to the engine', async (_, open) => {
    const run = updates(optimizers[0]);
    const theirs = await stateAfter(await ortBackend(), run);
    expect((await stateAfter(open(), run)).after).toEqual(theirs.after);
  });

  /** A memory of one page that is used up. */
  function fullMemory(): WasmMemory {
    const wasm = wasmMemory(1);
    while (wasm.allocate(64) !== undefined);
    return wasm;
  }

  it.each([
    ['taken from each other', { a: mul(b, 2), b: mul(a, 3) }],
    ['kept beside', { a: add(a, 1), b: add(a, 1), c: mul(b, 2) }],
  ] as const)('do not read what they have written: states %s', async (_, next) => {
    const crossing: Program = {
      ...{ name: 'crossing', inputs: new Map(), fetches: new Map() },
      state: new Map(
        Object.entries({ a, b, c }).map(([name, current]) => [
          name,
          { current, ...(name in next && { next: (next as Record<string, Node>)[name] }) },
        ]),
      ),
    };
    const begin = new Map(['a', 'b', 'c'].map((name) => [name, drawn([6])]));
    const run = { program: crossing, begin, feeds: [new Map(), new Map()] };
    const theirs = await stateAfter(await ortBackend(), run);
    expect((await stateAfter(await cpuByCApi({ least: 2 }), run)).after).toEqual(theirs.after);
  });

  it('leave it to the engine to make a state that is only written', async () => {
    const made: Program = {
      ...{ name: 'made', inputs: new Map(), fetches: new Map() },
      state: new Map([
        ['a', { current: a }],
        ['b', { current: b, next: mul(a, 2) }],
      ]),
    };
    const run = {
      program: made,
      begin: new Map([['a', drawn([6])]]),
      feeds: [new Map(), new Map()],
    };
    const theirs = await stateAfter(await ortBackend(), run);
    expect((await stateAfter(await cpuByCApi({ least: 2 }), run)).after).toEqual(theirs.after);
  });

  it('hold no more values after many runs than after one, and none in the end', async () => {
    const {
      program: step,
      state: begin,
      feeds,
    } = narrowTraining(vgg({ depth: 16, batchNorm: false, classes: 10, narrow: 32 }));
    let values = 0;
    const backend = backendWith('reached', {
      ...api,
      make(name, ...args) {
        if (name === 'CreateTensorWithDataAsOrtValue') values++;
        return api.make(name, ...args);
      },
      call(name, ...args) {
        if (name === 'ReleaseValue') values--;
        api.call(name, ...args);
      },
    });
    const executable = await backend.compile(step, ['loss']);
    const state = await backend.upload(begin);
    const held: number[] = [];
    for (let i = 0; i < 6; i++) {
      await executable.run(state, feeds[i % 2]);
      held.push(values);
    }
    expect(new Set(held)).toEqual(new Set([held[0]]));
    await executable.dispose();
    await backend.free(state);
    expect(values).toBe(0);
  });

  it('take no more memory from run to run and from state to state', async () => {
    const wasm = wasmMemory();
    const backend = backendWith('reached', api, wasm);
    const w = input('w', [200, 200]) as Node<'input'>;
    const g = input('g', w.shape) as Node<'input'>;
    const moved: Program = {
      ...{ name: 'moved', inputs: new Map([['g', g]]), fetches: new Map() },
      state: new Map([['w', { current: w, next: sub(w, g) }]]),
    };
    const executable = await backend.compile(moved, []);
    const taken: number[] = [];
    for (let i = 0; i < 5; i++) {
      const state = await backend.upload(new Map([['w', drawn(w.shape)]]));
      const feeds = new Map([['g', drawn(w.shape)]]);
      for (let run = 0; run < 3; run++) await executable.run(state, feeds);
      await backend.free(state);
      taken.push(wasm.memory.buffer.byteLength);
    }
    expect(taken[0]).toBeGreaterThan(320_000);
    expect(new Set(taken).size).toBe(1);
    await executable.dispose();
  });

  it('read what is fed, and leave what is fetched, in a room for both sides', async () => {
    let taken = 0;
    const wasm = wasmMemory();
    const backend = backendWith('reached', api, {
      ...wasm,
      allocate(bytes) {
        taken++;
        return wasm.allocate(bytes);
      },
    });
    const [w, g] = ['w', 'g'].map((name) => input(name, [20])) as Node<'input'>[];
    const moved: Program = {
      ...{ name: 'moved', inputs: new Map([['g', g]]) },
      fetches: new Map([['twice', mul(g, 2)]]),
      state: new Map([['w', { current: w, next: sub(w, g) }]]),
    };
    const room = (await backend.room!(40))!;
    const [fed, left] = [room.subarray(0, 20), room.subarray(20)].map(
      (data) => new Map([['g', tensor('float32', [20], data)]]),
    );
    const into = new Map([['twice', left.get('g')!]]);
    const executable = await backend.compile(moved, ['twice']);
    const state = await backend.upload(new Map([['w', drawn([20])]]));
    const w0 = (await backend.download(state)).get('w')!.data;
    room.fill(0.25);
    expect(taken).toBe(2);
    const results = await executable.run(state, fed, into);
    expect(results.get('twice')!.data).toBe(left.get('g')!.data);
    expect([...room]).toEqual([...Array(20).fill(0.25), ...Array(20).fill(0.5)]);
    // What was fetched is fed again where it lies.
    await executable.run(state, left, new Map([['twice', fed.get('g')!]]));
    expect([...room]).toEqual([...Array(20).fill(1), ...Array(20).fill(0.5)]);
    expect(taken).toBe(2);
    const w2 = (await backend.download(state)).get('w')!.data;
    expect([...w2]).toEqual([...w0].map((x) => Math.fround(Math.fround(Number(x) - 0.25) - 0.5)));
    await expect(executable.run(state, left, new Map([['twice', left.get('g')!]]))).rejects.toThrow(
      'moved: what is fetched as twice would be written over input g',
    );
    const double = tensor('float64', [20], new Float64Array(20));
    await expect(executable.run(state, fed, new Map([['twice', double]]))).rejects.toThrow(
      'moved: what is fetched as twice is float [20], the memory for it float64 [20]',
    );
    await expect(executable.run(state, fed, new Map([['thrice', double]]))).rejects.toThrow(
      'what is fetched as thrice is none of its fetches',
    );
    // Any other memory is copied to where passes reach it: what only looks like a room too.
    const elsewhere = new Float32Array(new SharedArrayBuffer(80)).fill(1);
    await executable.run(state, new Map([['g', tensor('float32', [20], elsewhere)]]));
    expect(taken).toBe(3);
    const w3 = (await backend.download(state)).get('w')!.data;
    expect([...w3]).toEqual([...w2].map((x) => Math.fround(Number(x) - 1)));
    await backend.free(state);
    await executable.dispose();
  });

  it('keep runs apart that are under way at once', async () => {
    const {
      program: step,
      state: begin,
      feeds,
    } = narrowTraining(vgg({ depth: 16, batchNorm: false, classes: 10, narrow: 32 }));
    const backend = await cpuByCApi({ least: 2, threads: 1 });
    const executable = await backend.compile(step, ['loss']);
    const states = [await backend.upload(begin), await backend.upload(begin)];
    const before = new Map(states[0]);
    const together = await Promise.all(states.map((state, i) => executable.run(state, feeds[i])));
    await expect(executable.run(before, feeds[0])).rejects.toThrow('was replaced by a run');
    for (const [i, state] of states.entries()) {
      const run = { program: step, begin, feeds: [feeds[i]] };
      const alone = await stateAfter(await ortBackend({ threads: 1 }), run, ['loss']);
      expect(together[i]).toEqual(alone.fetched[0]);
      expect(await backend.download(state)).toEqual(alone.after);
    }
    await executable.dispose();
  });
});
