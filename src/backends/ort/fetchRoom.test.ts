import { expect, test } from 'vitest';
import { hasKoffi } from '../../native/koffi.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { gradientOf } from '../../program/program.ts';
import type { Backend } from '../backend.ts';
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
