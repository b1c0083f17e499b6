import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Reference } from '../../align/reference/reference.ts';
import { torchFile } from '../../io/testdata/support.ts';
import { commandTest } from '../testdata/commandTest.ts';
import { diffWeights } from './weights.ts';

const { dir } = commandTest('diff-weights');

it('gives the weights of a wrapped model under the names of the reference, and says so', () => {
  const file = join(dir, 'net.pth.tar');
  writeFileSync(file, torchFile('checkpoint/compiled'));
  const names = ['0.weight', '0.bias', '1.weight', '1.bias', '1.running_mean', '1.running_var'];
  const state = names.map((name) => {
    const shape = name === '0.weight' ? [2, 2] : [2];
    return { name, shape, role: 'parameter' } as const;
  });
  const said: string[] = [];
  const context = { print: (text: string) => said.push(text), fail: () => {} };
  const reference = { model: { state } } as unknown as Reference;
  const weights = diffWeights(file, reference, context);
  expect([...weights!.keys()]).toEqual(names);
  expect(said).toEqual([`${file}: 'module.', '_orig_mod.' removed from the names of the weights`]);
  expect(diffWeights(undefined, reference, context)).toBeUndefined();
});
