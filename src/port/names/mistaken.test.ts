import { describe, expect, it } from 'vitest';
import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { judge } from '../judgeWithCauses.ts';
import { randomReference } from '../testdata/randomReference.ts';
import { proposeNames } from './propose.ts';
import {
  byMap,
  entriesOf,
  float32,
  float64,
  proposed,
  random,
  right,
  whyOf,
} from './testdata/proposed.ts';

describe('a port with mistakes', () => {
  const layers = ['conv', 'bn', 'relu', 'pool'];
  const given = layers.flatMap((layer, i) => [
    { name: `blocks.0.${layer}.output`, values: random([6, 7], i + 1) },
    { name: `blocks.1.${layer}.output`, values: random([6, 7], i + 11) },
  ]);
  const reference = randomReference(given);
  const foreign = (name: string): string =>
    name
      .replace(/blocks\.(\d)\./, (_, n: string) => `stage${Number(n) + 1}/`)
      .replace('.output', '/y');
  const recording = (change: (name: string, t: Tensor) => Tensor): Map<string, Tensor> =>
    new Map([...right(reference)].map(([name, t]) => [foreign(name), change(name, t)]));
  const meant = Object.fromEntries(given.map(({ name }) => [foreign(name), name]));
  const wrong = 'blocks.1.bn.output';

  it.each<[string, (t: Tensor) => Tensor, RegExp]>([
    ['a wrong tensor', (t) => random(t.shape, 99), /^name and shape; values differ by \S+: look/],
    [
      'another scale',
      (t) =>
        float32(
          t.shape,
          toFloat64(t).map((x) => 3 * x),
        ),
      /^name and shape/,
    ],
    [
      'a small mistake',
      (t) =>
        float32(
          t.shape,
          toFloat64(t).map((x) => x * 1.0003),
        ),
      /^values near, 3.0e-4 apart/,
    ],
    [
      'a NaN',
      (t) =>
        float32(
          t.shape,
          toFloat64(t).map((x, i) => (i === 3 ? Number.NaN : x)),
        ),
      /its values are not all numbers/,
    ],
    [
      'another shape',
      () => random([5], 3),
      /^only the name; shape \[5\] against \[6, 7\]: look here/,
    ],
    [
      'what was there before',
      () => reference.whole(reference.probe('blocks.1.conv.output')),
      /they are those of blocks\.1\.conv\.output: look here/,
    ],
  ])('%s is named, and the judge fails there only', (_, change, why) => {
    const ours = recording((name, t) => (name === wrong ? change(t) : t));
    expect(proposed(ours, reference)).toEqual(meant);
    expect(whyOf(ours, reference, foreign(wrong))?.because).toMatch(why);
    const { diverges } = judge(byMap(ours, reference), reference);
    expect(diverges.map(({ name }) => name)).toEqual([wrong]);
  });

  it('an operation that was left out, its input not recorded, does not become the input', () => {
    const ours = recording((name, t) =>
      name === wrong ? reference.whole(reference.probe('blocks.1.conv.output')) : t,
    );
    ours.delete(foreign('blocks.1.conv.output'));
    expect(proposed(ours, reference)[foreign(wrong)]).toBe(wrong);
  });

  it('whose numbers are all wrong goes by names it shares, or by order', () => {
    const all = recording((_, t) =>
      float32(
        t.shape,
        toFloat64(t).map((x, i) => Math.sin((i + 1) ** 2 * (1 + x))),
      ),
    );
    const named = new Map([...all].map(([name, t]) => [name.replace('stage', 'blocks/0'), t]));
    expect(Object.values(proposed(named, reference)).sort()).toEqual(
      given.map(({ name }) => name).sort(),
    );
    const nameless = new Map([...all.values()].map((t, i) => [`${'zyxwvuts'[i]}`, t]));
    const found = proposeNames(nameless, reference).proposals;
    expect(found.map(({ ours }) => ours)).toEqual([...nameless.keys()]);
    for (const { how, because } of found) {
      expect(how).toBe('guess');
      expect(because).toMatch(/^only shape and order; values differ by \S+: look here$/);
    }
  });

  it('what is left over on both sides is listed, and is not paired by its shape alone', () => {
    const ours = recording((_, t) => t);
    ours.delete(foreign(wrong));
    ours.set('scratch', random([6, 7], 77));
    ours.set('more', random([6, 7], 78));
    const { proposals, unnamed, unused } = proposeNames(ours, reference);
    expect(proposals).toHaveLength(7);
    expect(unnamed).toEqual([wrong]);
    expect(unused).toEqual(['scratch', 'more']);
  });

  it('a tensor that is called like another one’s probe is said to be none', () => {
    const ours = recording((_, t) => t);
    ours.set('blocks.0.conv.output', random([6, 7], 70));
    ours.set('other', random([6, 7], 71));
    const names = entriesOf([...ours.keys()], proposeNames(ours, reference).proposals);
    expect(names.at(-1)).toEqual({
      ours: 'blocks.0.conv.output',
      probe: null,
      because: 'another tensor is this probe',
    });
    expect(judge(byMap(ours, reference), reference).passed).toBe(true);
  });
});

describe('what a port is given', () => {
  const before = random([5, 5], 1);
  const after = float64(
    [5, 5],
    toFloat64(before).map((x) => x + 1e-4),
  );
  const reference = randomReference([
    { name: 'input', kind: 'input', values: random([5, 5], 3) },
    { name: 'initial/fc.weight', kind: 'weight', values: before },
    { name: 'fc.output', values: random([5, 5], 2) },
    { name: 'fc.weight', kind: 'weight', values: after },
  ]);
  const whole = (name: string): Tensor => reference.whole(reference.probe(name));

  it('is known where it was recorded, and not asked for', () => {
    const ours = new Map([
      ['w0', whole('initial/fc.weight')],
      ['x', whole('input')],
      ['w1', whole('fc.weight')],
    ]);
    const { unnamed, unused } = proposeNames(ours, reference);
    expect(proposed(ours, reference)).toEqual({
      w0: 'initial/fc.weight',
      x: 'input',
      w1: 'fc.weight',
    });
    expect([unnamed, unused]).toEqual([['fc.output'], []]);
  });

  it('a weight that was not updated is the one after the step', () => {
    const ours = new Map([
      ['y', whole('fc.output')],
      ['w', whole('initial/fc.weight')],
    ]);
    expect(proposed(ours, reference)).toEqual({ y: 'fc.output', w: 'fc.weight' });
    expect(whyOf(ours, reference, 'w')?.because).toMatch(
      /they are those of initial\/fc\.weight: look here/,
    );
  });
});
