import { expect, test } from 'vitest';
import { add, input } from '../../ir/build.ts';
import { hasKoffi } from '../../native/koffi.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { gradientOf } from '../../program/program.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Backend } from '../backend.ts';
import { givenAway } from '../givenAway.ts';
import { ortBackend } from './cpu/ortBackend.ts';
import { narrowTraining } from './testdata/narrowTraining.ts';

/** The gradients of a step as a backend gives them, and the loss. */
async function fetched(backend: Backend) {
  const model = vgg({ depth: 16, batchNorm: false, classes: 10, narrow: 32 });
  const { program, state, feeds } = narrowTraining(model);
  const names = model.state
    .filter(({ role }) => role === 'parameter')
    .map(({ name }) => gradientOf(name));
  const executable = await backend.compile(program, ['loss', 'correct', ...names]);
  const held = await backend.upload(state);
  const results = await executable.run(held, feeds[0]);
  await backend.free(held);
  await executable.dispose();
  return { results, names };
}

const bindings: readonly (readonly [string, () => Promise<Backend>])[] = [
  ['the JavaScript binding', ortBackend],
  ...(hasKoffi()
    ? ([['the C API', async () => (await import('./cApi/cpuByCApi.ts')).cpuByCApi()]] as const)
    : []),
];

test.each(bindings)(
  'floats that %s gives lie one behind the other, in the order asked for',
  async (_, open) => {
    const { results, names } = await fetched(await open());
    const [first, ...rest] = ['loss', 'correct', ...names].map((name) => results.get(name)!.data);
    let end = first.byteOffset + first.byteLength;
    for (const { buffer, byteOffset, byteLength } of rest) {
      expect(buffer).toBe(first.buffer);
      expect(byteOffset).toBe(end);
      end += byteLength;
    }
    expect(end).toBe(first.buffer.byteLength);
    expect(rest.length).toBe(33);
    for (const data of rest.slice(1))
      expect((data as Float32Array).some((x) => x !== 0)).toBe(true);
  },
);

test.each(bindings)(
  'memory that was given away with the inputs is where %s puts what it fetches next, once',
  async (_, open) => {
    const x = input('x', [1 << 18]);
    const doubled = {
      name: 'doubled',
      inputs: new Map([['x', x]]),
      state: new Map(),
      fetches: new Map([['y', add(x, x)]]),
    };
    const executable = await (await open()).compile(doubled, ['y']);
    const ones = tensor('float32', x.shape, new Float32Array(1 << 18).fill(1));
    const run = async (values: Float32Array, give: boolean): Promise<Float32Array> => {
      const inputs = new Map([['x', tensor('float32', x.shape, values)]]);
      const results = await executable.run(new Map(), give ? givenAway(inputs) : inputs);
      return results.get('y')!.data as Float32Array;
    };
    const two = await run(ones.data, false);
    const four = await run(two, true);
    expect(four.buffer).not.toBe(two.buffer);
    const eight = await run(four, false);
    expect(eight.buffer).toBe(two.buffer);
    expect([four[7], eight[7]]).toEqual([4, 8]);
    // `eight` was not given away: nobody writes over it.
    const sixteen = await run(eight, false);
    await run(sixteen, false);
    expect(sixteen.buffer).not.toBe(eight.buffer);
    expect([eight[7], sixteen[7]]).toEqual([8, 16]);
    await executable.dispose();
  },
);
