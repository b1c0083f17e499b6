import { expect, test } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { oracleBackend } from '../../backends/oracle/oracleBackend.ts';
import { add, input } from '../../ir/build.ts';
import { verifyProgram } from '../../program/program.ts';
import { tensor } from '../../tensor/tensor.ts';
import { watchedBackend } from './watchedBackend.ts';

const x = input('x', [2]);
const program = verifyProgram({
  name: 'twice',
  inputs: new Map([['x', x]]),
  state: new Map(),
  fetches: new Map([['y', add(x, x)]]),
});
const fed = new Map([['x', tensor('float32', [2], Float32Array.of(1, 2))]]);

const oracle = oracleBackend();
/** A device that can leave results where they are. */
const leaving: Backend = {
  ...oracle,
  async compile(...asked) {
    const executable = await oracle.compile(...asked);
    return {
      ...executable,
      start: async (state, inputs) => oracle.upload(await executable.run(state, inputs)),
    };
  },
};

test('a watched device still leaves results where they are, and tells of them', async () => {
  const seen: string[] = [];
  const watched = watchedBackend(leaving, ({ name }, inputs) => {
    seen.push(`${name} ${[...inputs.keys()]}`);
  });
  const executable = await watched.compile(program, ['y']);
  const lying = await executable.start!(new Map(), fed);
  expect((await watched.download(lying)).get('y')?.data).toEqual(Float64Array.of(2, 4));
  expect((await executable.run(new Map(), fed)).get('y')?.data).toEqual(Float64Array.of(2, 4));
  expect(seen).toEqual(['twice x', 'twice x']);
});

test('a device that cannot is not made to', async () => {
  const executable = await watchedBackend(oracle, () => {}).compile(program, ['y']);
  expect(executable.start).toBeUndefined();
});
