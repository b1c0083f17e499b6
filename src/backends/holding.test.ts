import fc from 'fast-check';
import { expect, it } from 'vitest';
import { input } from '../ir/build.ts';
import type { Program } from '../program/program.ts';
import { scalar } from '../tensor/tensor.ts';
import type { Backend } from './backend.ts';
import { holding, releasing } from './holding.ts';
import { oracleBackend } from './oracle/oracleBackend.ts';

const x = input('x', []);
const program: Program = {
  name: 'nothing',
  inputs: new Map(),
  state: new Map(),
  fetches: new Map([['x', x]]),
};
const values = new Map([['x', scalar(1)]]);

/** The oracle, and what is open on it; the release of `failing` fails when it is done. */
function counted(failing?: number) {
  const oracle = oracleBackend();
  const open: number[] = [];
  let opened = 0;
  const close = (id: number): void => {
    expect(id, 'the last is released first').toBe(open.pop());
    if (id === failing) throw new Error(`release ${id}`);
  };
  const ids = new WeakMap<object, number>();
  const opening = <T extends object>(what: T): T => {
    ids.set(what, opened);
    open.push(opened++);
    return what;
  };
  const backend: Backend = {
    ...oracle,
    async compile(...asked) {
      const executable = opening({ ...(await oracle.compile(...asked)) });
      executable.dispose = async () => close(ids.get(executable)!);
      return executable;
    },
    upload: async (given) => opening(await oracle.upload(given)),
    free: async (state) => close(ids.get(state)!),
  };
  return { backend, open, opened: () => opened };
}

it('everything is released once, the last first, whoever fails and wherever', async () => {
  const kinds = fc.array(fc.constantFrom('compile', 'upload'), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(kinds, fc.option(fc.nat(7)), fc.boolean(), async (steps, failing, throws) => {
      const { backend, open, opened } = counted(failing ?? undefined);
      const work = releasing(async (on) => {
        for (const step of steps) {
          if (step === 'compile') await on(backend).compile(program, []);
          else await on(backend).upload(values);
        }
        if (throws) throw new Error('in use');
        return steps.length;
      });
      const releaseFails = failing !== null && failing < steps.length;
      if (releaseFails) await expect(work).rejects.toThrow(`release ${failing}`);
      else if (throws) await expect(work).rejects.toThrow('in use');
      else expect(await work).toBe(steps.length);
      expect(opened()).toBe(steps.length);
      expect(open).toEqual([]);
    }),
  );
});

it('a program that does not compile, or values that do not fit, leave nothing behind', async () => {
  const { backend, open } = counted();
  const use = async () => 'used';
  await expect(holding(backend, program, ['y'], values, use)).rejects.toThrow('nothing called y');
  const broken: Backend = { ...backend, upload: () => Promise.reject(new Error('full')) };
  await expect(holding(broken, program, [], values, use)).rejects.toThrow('full');
  expect(await holding(backend, program, [], values, use)).toBe('used');
  expect(open).toEqual([]);
});
