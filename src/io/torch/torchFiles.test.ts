import { describe, expect, it } from 'vitest';
import { InputError, UsageError } from '../../errors.ts';
import { recordingOf } from '../recording.ts';
import { shown, torchFile, torchFiles } from '../testdata/support.ts';
import { weightsOf } from '../weights.ts';

describe('every tensor under the path that Python has it, as torch.load reads it', () => {
  it.each(torchFiles)('$name', ({ file, shown: expected }) => {
    const { tensors, unread } = recordingOf(file, 'x');
    const found = {
      ...shown(tensors),
      ...Object.fromEntries([...unread.keys()].map((name) => [name, 'unread'])),
    };
    expect(found).toEqual(expected);
  });
});

describe('a part of a file', () => {
  const authors = torchFile('checkpoint/authors');
  const part = (key: string) => shown(recordingOf(authors, 'x', { key }).tensors);

  it('is every tensor under it, by the rest of its path', () => {
    const whole = shown(recordingOf(authors, 'x').tensors);
    const under = Object.entries(whole).filter(([name]) => name.startsWith('swa_state_dict/'));
    expect(under.length).toBe(7);
    expect(part('swa_state_dict')).toEqual(
      Object.fromEntries(under.map(([name, t]) => [name.slice('swa_state_dict/'.length), t])),
    );
    expect(Object.values(part('optimizer/state/0'))).toEqual([
      whole['optimizer/state/0/momentum_buffer'],
    ]);
    expect(part('optimizer/state/0/momentum_buffer')).toEqual({
      '(array)': whole['optimizer/state/0/momentum_buffer'],
    });
  });

  it('that is not there is refused with what is', () => {
    expect(() => part('ema')).toThrow(UsageError);
    expect(() => part('ema')).toThrow(/'ema'.*'epoch', 'best', 'state_dict', 'swa_state_dict'/);
    expect(() => part('state_dic')).toThrow("nothing under 'state_dic'");
  });

  it('of a file of bare names is the whole, and that is said', () => {
    const bare = torchFile('checkpoint/averaged model');
    const { tensors, notes } = recordingOf(bare, 'x', { key: 'state_dict' });
    expect(shown(tensors)).toEqual(shown(recordingOf(bare, 'x').tensors));
    expect(notes).toEqual(["has no parts, so all of it is taken, not 'state_dict'"]);
  });
});

it('says what it leaves out, by path', () => {
  const { notes } = recordingOf(torchFile('checkpoint/authors'), 'x');
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/^'epoch', 'swa_n', 'optimizer\/param_groups\/0\/lr', .* more are left/);
});

describe('the weights of a checkpoint', () => {
  const recorded = (name: string, key: string) =>
    shown(recordingOf(torchFile(name), 'x', { key }).tensors);
  const weights = (name: string, options = {}) => weightsOf(torchFile(name), 'x', options);

  it.each([
    ['checkpoint/authors', {}, 'state_dict', 'raw'],
    ['checkpoint/authors', { kind: 'raw', prefer: 'swa' }, 'state_dict', 'raw'],
    ['checkpoint/authors', { prefer: 'swa' }, 'swa_state_dict', 'swa'],
    ['checkpoint/authors', { kind: 'swa' }, 'swa_state_dict', 'swa'],
    ['checkpoint/no average yet', { prefer: 'swa' }, 'state_dict', 'raw'],
    ['checkpoint/without average', { prefer: 'swa' }, 'state_dict', 'raw'],
    ['checkpoint/other names', { prefer: 'swa' }, 'ema', 'swa'],
    ['checkpoint/other names', { prefer: 'raw' }, 'model_state_dict', 'raw'],
    ['checkpoint/compiled', {}, 'net', 'raw'],
    ['checkpoint/one other', {}, 'encoder', 'raw'],
    ['beside/everything', {}, 'state_dict', 'raw'],
    ['beside/everything, legacy', {}, 'state_dict', 'raw'],
  ] as const)('%s %j are those under %s', (name, options, key, kind) => {
    const found = weights(name, options);
    expect(shown(found.tensors)).toEqual(recorded(name, key));
    expect(found.kind).toBe(kind);
  });

  it('an average knows itself by its count', () => {
    expect(weights('checkpoint/averaged model', { kind: 'swa' }).kind).toBe('swa');
  });

  it('says which it took, and what it left out', () => {
    expect(weights('checkpoint/authors', { prefer: 'swa' }).notes).toEqual([
      "the weights are those of 'swa_state_dict'; there is also 'state_dict'",
    ]);
    const { tensors, notes } = weights('checkpoint/values beside');
    expect([...tensors.keys()]).toEqual(['w', 'best']);
    expect(notes).toEqual(["'epoch' left out: no tensors"]);
  });

  it.each([
    ['checkpoint/no average yet', 'swa', 'holds no average yet; give --weights raw'],
    ['checkpoint/without average', 'swa', 'holds one set of weights, no average'],
    ['checkpoint/averaged model', 'raw', 'holds one set of weights, an average'],
    ['checkpoint/data parallel', 'raw', 'holds one set of weights, and does not say of which kind'],
  ] as const)('%s has no %s ones', (name, kind, line) => {
    expect(() => weights(name, { kind })).toThrow(UsageError);
    expect(() => weights(name, { kind })).toThrow(line);
  });

  it.each([
    ['unread/tensors', "'sparse' is a sparse tensor, which cannot be read"],
    ['unread/tensors, legacy', "'quantized' is a quantized tensor, which cannot be read"],
    ['checkpoint/two others', "several sets of weights: 'generator', 'discriminator'"],
    ['nested/model', 'holds a pickled torch.nn.modules.container.Sequential, not a state_dict'],
    ['nested/tensor', 'holds tensor, not a state_dict'],
    ['nested/list', 'holds list, not a state_dict'],
  ])('%s is refused', (name, line) => {
    expect(() => weights(name)).toThrow(InputError);
    expect(() => weights(name)).toThrow(line);
  });
});
