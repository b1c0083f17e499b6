import { describe, expect, it } from 'vitest';
import { recordingOf } from '../recording.ts';
import { counting, torchFile } from '../testdata/support.ts';
import { weightsOf } from '../weights.ts';
import { unwrapped } from './wrappers.ts';

const plain = [
  ...recordingOf(torchFile('checkpoint/authors'), 'x', { key: 'state_dict' }).tensors.keys(),
];

describe('what wrapped a model is taken off its names', () => {
  it.each([
    ['checkpoint/data parallel', ["'module.' removed from the names of the weights"]],
    [
      'checkpoint/averaged model',
      ["'module.' removed from the names of the weights", "'n_averaged' is left out: no weight"],
    ],
    ['checkpoint/compiled', ["'module.', '_orig_mod.' removed from the names of the weights"]],
    ['checkpoint/lightning', ["'model.' removed from the names of the weights"]],
  ])('%s', (name, said) => {
    const { tensors, notes } = unwrapped(weightsOf(torchFile(name), 'x').tensors, plain);
    expect([...tensors.keys()]).toEqual(plain);
    expect(notes).toEqual(said);
  });

  it('of a part of the model too', () => {
    const { tensors } = weightsOf(torchFile('checkpoint/inside'), 'x');
    const wanted = ['0.weight', '0.bias', '1.weight'];
    expect([...unwrapped(tensors, wanted).tensors.keys()]).toEqual(wanted);
  });
});

describe('names stay as they are', () => {
  const named = (...names: string[]) =>
    new Map(names.map((name) => [name, counting('float32', [1])] as const));

  it.each([
    ['where they fit already', ['module.w', 'w'], ['w']],
    ['where one is missing without', ['module.w'], ['w', 'b']],
    ['where two would become one', ['module.w', 'w'], ['w', 'module.module.w']],
    ['where some lack the prefix', ['model.w', 'b'], ['w', 'b']],
  ])('%s', (_, names, wanted) => {
    const tensors = named(...names);
    expect(unwrapped(tensors, wanted)).toEqual({ tensors, notes: [] });
  });
});
