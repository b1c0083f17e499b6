import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import { type Tensor, type TensorMap, tensor } from '../tensor/tensor.ts';
import { literal, type NameEntry, parseNameMap, renameBy, renamed } from './nameMap.ts';
import { randomReference } from './testdata/randomReference.ts';

const reference = randomReference([
  { name: 'conv1.output', shape: [2, 3, 4, 5], axes: 'NCHW' },
  { name: 'layers.0.attention.output' },
  { name: 'layers.1.attention.output' },
  { name: 'layers.1.mlp.output' },
  { name: 'fc.weight', shape: [2, 3] },
]);

const one = (value = 0): Tensor => tensor('float32', [1], Float32Array.of(value));
const recording = (...names: string[]): TensorMap =>
  new Map(names.map((name, i) => [name, one(i)]));
const rename = (ours: TensorMap, ...names: NameEntry[]): TensorMap => {
  const text = JSON.stringify({ format: 'swa-align-names/1', names });
  return renamed(ours, parseNameMap(text, 'map.json'), reference, 'map.json');
};

describe('a map of names', () => {
  it('gives each star what stood there, and leaves a name that no entry fits', () => {
    const found = rename(
      recording('block_0/attention', 'block_1/attention', 'block_1/mlp', 'mine'),
      { ours: 'block_*/*', probe: 'layers.*.*.output' },
    );
    expect([...found.keys()]).toEqual([
      'layers.0.attention.output',
      'layers.1.attention.output',
      'layers.1.mlp.output',
      'mine',
    ]);
    expect([...found.values()].map(({ data }) => data[0])).toEqual([0, 1, 2, 3]);
  });

  it('takes the first entry that fits', () => {
    const entries = [
      { ours: 'y', probe: 'layers.1.mlp.output' },
      { ours: '*', probe: 'layers.0.attention.output' },
    ];
    const found = rename(recording('y', 'z'), ...entries);
    expect([...found.keys()]).toEqual(['layers.1.mlp.output', 'layers.0.attention.output']);
    expect(() => rename(recording('y'), ...entries.toReversed())).toThrow(
      'map.json: the entry of "y" names no tensor of the recording; write the name',
    );
  });

  it('reads \\* as a star, on both sides', () => {
    const starred = randomReference([{ name: 'a*b' }, { name: 'fc.output' }]);
    const of = (ours: string, probe: string, ...names: string[]) => [
      ...renamed(
        recording(...names),
        { format: 'swa-align-names/1', names: [{ ours, probe }] },
        starred,
        '',
      ).keys(),
    ];
    expect(of('x\\*y', 'a\\*b', 'x*y', 'xzy')).toEqual(['a*b', 'xzy']);
    expect(of('my*', 'a\\*b', 'my own')).toEqual(['a*b']);
    expect(of('*\\*', '*.output', 'fc*')).toEqual(['fc.output']);
  });

  it('means by a literal name just this name, whatever signs it holds', () => {
    const text = fc.string({
      unit: fc.constantFrom('*', '\\', 'a', '.'),
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(text, text, text, (name, other, probe) => {
        fc.pre(name !== other);
        const entry = { ours: literal(name), probe: literal(probe) };
        expect(renameBy(entry)(name)).toBe(probe);
        expect(renameBy(entry)(other)).toBeUndefined();
      }),
    );
  });

  it('leaves out what is said to be no probe', () => {
    const found = rename(
      recording('fc.weight', 'w'),
      { ours: 'fc.weight', probe: null },
      { ours: 'w', probe: 'fc.weight' },
    );
    expect([...found].map(([name, { data }]) => [name, data[0]])).toEqual([['fc.weight', 1]]);
  });

  it('lays tensors out as PyTorch has them', () => {
    const nhwc = tensor('float32', [2, 4, 5, 3], new Float32Array(120));
    const found = rename(
      new Map<string, Tensor>([
        ['y', nhwc],
        ['w', tensor('float32', [3, 2], Float32Array.of(0, 1, 2, 3, 4, 5))],
      ]),
      { ours: 'y', probe: 'conv1.output', layout: 'NHWC' },
      { ours: 'w', probe: 'fc.weight', layout: 'in,out' },
    );
    expect(found.get('conv1.output')!.shape).toEqual([2, 3, 4, 5]);
    expect([...found.get('fc.weight')!.data]).toEqual([0, 2, 4, 1, 3, 5]);
  });

  it('does not read signs of regular expressions in names', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (name, other) => {
        fc.pre(!name.includes('*') && name !== other);
        const map = { ours: name, probe: 'fc.weight' };
        expect([...rename(recording(name), map).keys()]).toEqual(['fc.weight']);
        expect(() => rename(recording(other), map)).toThrow(/names no tensor/);
      }),
    );
  });

  it.each<[string, RegExp, TensorMap, NameEntry[]]>([
    [
      'two that become one',
      /map.json: a and b are both fc.weight; leave one/,
      recording('a', 'b'),
      [{ ours: '*', probe: 'fc.weight' }],
    ],
    [
      'one that becomes what another is called',
      /are both fc\.weight/,
      recording('a', 'fc.weight'),
      [{ ours: 'a', probe: 'fc.weight' }],
    ],
    [
      'a probe that is not there',
      /holds no probe fc\.wieght; the nearest are fc\.weight/,
      recording('a'),
      [{ ours: 'a', probe: 'fc.wieght' }],
    ],
    [
      'a star that nothing stands for',
      /holds no probe layers\.\*\.mlp\.output/,
      recording('a'),
      [{ ours: 'a', probe: 'layers.*.mlp.output' }],
    ],
  ])('refuses %s', (_, why, ours, entries) => {
    expect(() => rename(ours, ...entries)).toThrow(why);
    expect(() => rename(ours, ...entries)).toThrow(InputError);
  });

  it.each([
    ['{', /map.json: is not JSON; docs\/judge-your-port\.md/],
    ['null', /map.json: the file: /],
    ['{"format":"swa-align-names/2","names":[]}', /map.json: format: /],
    ['{"format":"swa-align-names/1","names":[]}', /map.json: names: /],
    ['{"format":"swa-align-names/1","names":[{"ours":"a"}]}', /map.json: names\.0\.probe: /],
    ['{"format":"swa-align-names/1","names":[{"ours":"","probe":"b"}]}', /names\.0\.ours: /],
    [
      '{"format":"swa-align-names/1","names":[{"ours":"a","probe":"b","lay":"c"}]}',
      /names\.0: .*lay/,
    ],
  ])('%s is refused', (text, why) => {
    expect(() => parseNameMap(text, 'map.json')).toThrow(why);
  });
});
