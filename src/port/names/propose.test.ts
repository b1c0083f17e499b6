import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { judge } from '../judgeWithCauses.ts';
import { permuted } from '../layout.ts';
import { parseNameMap, renamed } from '../nameMap.ts';
import type { PortReference } from '../portReference.ts';
import { type Given, randomNumbers, randomReference } from '../testdata/randomReference.ts';
import { rowsOf } from './folded.ts';
import type { Proposal } from './proposal.ts';
import { proposeNames } from './propose.ts';

const float32 = (shape: readonly number[], values: ArrayLike<number>): Tensor =>
  tensor('float32', [...shape], Float32Array.from(values));

const float64 = (shape: readonly number[], values: ArrayLike<number>): Tensor =>
  tensor('float64', [...shape], Float64Array.from(values));

const random = (shape: readonly number[], seed: number): Tensor =>
  float64(shape, randomNumbers(sizeOf([...shape]), seed));

/** What PyTorch computed, as a right port has it. */
const right = (reference: PortReference): Map<string, Tensor> =>
  new Map(reference.probes.map((probe) => [probe.name, reference.whole(probe)]));

const entriesOf = (names: readonly string[], proposals: readonly Proposal[]) =>
  rowsOf(names, proposals).map(({ entry }) => entry);

/** The recording by the map that is proposed for it, through the text of its file. */
function byMap(recording: TensorMap, reference: PortReference): TensorMap {
  const { proposals } = proposeNames(recording, reference);
  const names = entriesOf([...recording.keys()], proposals);
  if (names.length === 0) return recording;
  const text = JSON.stringify({ format: 'swa-align-names/1', names });
  return renamed(recording, parseNameMap(text, 'map.json'), reference, 'map.json');
}

const proposed = (recording: TensorMap, reference: PortReference): Record<string, string> =>
  Object.fromEntries(
    proposeNames(recording, reference).proposals.map(({ ours, probe }) => [ours, probe]),
  );

const whyOf = (recording: TensorMap, reference: PortReference, name: string) =>
  proposeNames(recording, reference).proposals.find(({ ours }) => ours === name);

const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 });
/** Names that are hard to write as a pattern. */
const anyName = fc.string({
  unit: fc.constantFrom('a', 'B', '1', '0', '.', '/', '*', '\\', '$', '-'),
  minLength: 1,
  maxLength: 12,
});

describe('the names that are proposed of a right port', () => {
  it('restore it, whatever the names, the order of tensors and of their axes, and a little noise', () => {
    const tensors = fc.uniqueArray(
      fc.record({
        shape: shapes,
        probe: anyName,
        ours: anyName,
        place: fc.nat(),
        axes: fc.nat(),
        noise: fc.integer({ min: -4, max: 4 }),
      }),
      { selector: (one) => one.ours, minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(tensors, (all) => {
        fc.pre(new Set(all.map(({ probe }) => probe)).size === all.length);
        const reference = randomReference(
          all.map(({ probe, shape }, i) => ({ name: probe, values: random(shape, i + 1) })),
        );
        const ours = new Map(
          all
            .map(({ probe, ours: name, place, axes, noise }) => {
              const whole = reference.whole(reference.probe(probe));
              const order = whole.shape
                .map((_, axis) => axis)
                .toSorted((a, b) => ((a * 5 + axes) % 7) - ((b * 5 + axes) % 7));
              const noisy = toFloat64(whole).map((x) => x * (1 + noise * 1e-8));
              return { name, place, value: permuted(float32(whole.shape, noisy), order) };
            })
            .sort((a, b) => a.place - b.place)
            .map(({ name, value }) => [name, value]),
        );
        const { proposals, unnamed, unused } = proposeNames(ours, reference);
        expect([unnamed, unused]).toEqual([[], []]);
        expect(Object.fromEntries(proposals.map((p) => [p.ours, p.probe]))).toEqual(
          Object.fromEntries(all.map(({ ours: name, probe }) => [name, probe])),
        );
        for (const { how, because } of proposals) expect(how, because).toBe('sure');
        const { passed, message } = judge(byMap(ours, reference), reference);
        expect(passed, message).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('say layouts that a map understands, whether the reference names the axes or not', () => {
    const kinds = ['output', 'weight', 'optimizer state', 'output gradient'] as const;
    const reference = randomReference(
      kinds.flatMap((kind, i) =>
        [undefined, 'OI', 'NC', 'XY'].map((axes, k) => ({
          name: `${kind}.${axes}`,
          kind,
          values: random([3, 4], 10 * i + k + 1),
          ...(axes !== undefined && { axes }),
        })),
      ),
    );
    const ours = new Map(
      [...right(reference)].map(([name, t]) => [`${name}!`, permuted(t, [1, 0])]),
    );
    const { passed, message } = judge(byMap(ours, reference), reference);
    expect(passed, message).toBe(true);
    expect(whyOf(ours, reference, 'output.undefined!')?.layout).toBe('CN');
    expect(whyOf(ours, reference, 'optimizer state.undefined!')?.layout).toBe('IO');
    expect(whyOf(ours, reference, 'weight.XY!')?.layout).toBe('YX');
  });

  it('hold for samples of large tensors', () => {
    const given: Given[] = [1, 2, 3].map((i) => ({
      name: `${i}.output`,
      values: random([2, 30, 400], i),
      sample: 4096,
      axes: 'NCL',
    }));
    const whole = given.map(({ values }) => values!);
    const reference = randomReference(given);
    const ours = new Map(
      [2, 0, 1].map((i) => [
        'xyz'[i],
        permuted(float32(whole[i].shape, toFloat64(whole[i])), [0, 2, 1]),
      ]),
    );
    expect(proposed(ours, reference)).toEqual({ x: '1.output', y: '2.output', z: '3.output' });
    expect(judge(byMap(ours, reference), reference).passed).toBe(true);
  });

  it('lay out what is named right already', () => {
    const reference = randomReference([
      { name: 'conv.output', shape: [2, 3, 4, 4], axes: 'NCHW' },
      { name: 'fc.output', shape: [2, 5] },
    ]);
    const ours = right(reference);
    ours.set('conv.output', permuted(ours.get('conv.output')!, [0, 2, 3, 1]));
    const { proposals } = proposeNames(ours, reference);
    expect(entriesOf([...ours.keys()], proposals)).toEqual([
      {
        ours: 'conv.output',
        probe: 'conv.output',
        layout: 'NHWC',
        because: expect.stringMatching(/^values equal to \S+, axes NHWC → NCHW$/),
      },
    ]);
    expect(judge(byMap(ours, reference), reference).passed).toBe(true);
    expect(
      entriesOf([...ours.keys()], proposeNames(right(reference), reference).proposals),
    ).toEqual([]);
  });
});

describe('tensors that are equal', () => {
  const same = random([3, 4], 9);
  const layers = ['conv', 'relu', 'pool', 'fc'];

  it('go by what the names of others teach, in whatever order they come', () => {
    // The momentum of the first step is the gradient; that of the second is not.
    const given = layers.flatMap((layer, i) => [
      { name: `${layer}.weight.grad`, values: random([3, 4], 20 + i) },
      { name: `${layer}.weight.momentum`, values: random([3, 4], 20 + i) },
    ]);
    const later = layers.flatMap((layer, i) => [
      { name: `step1/${layer}.weight.grad`, values: random([3, 4], 40 + i) },
      { name: `step1/${layer}.weight.momentum`, values: random([3, 4], 60 + i) },
    ]);
    const reference = randomReference([...given, ...later]);
    const foreign = (name: string): string =>
      name
        .replace('step1/', '2nd:')
        .replace('.weight.grad', ' kernel dL')
        .replace('.weight.momentum', ' kernel velocity');
    const ours = new Map(
      [...right(reference)]
        .map(([name, t], i) => ({ name: foreign(name), t, place: (i * 7) % 16 }))
        .sort((a, b) => a.place - b.place)
        .map(({ name, t }) => [name, t]),
    );
    const { proposals } = proposeNames(ours, reference);
    expect(proposals).toHaveLength(16);
    for (const { ours: name, probe, how } of proposals) {
      expect(name).toBe(foreign(probe));
      expect(how, name).not.toBe('guess');
    }
    expect(whyOf(ours, reference, 'conv kernel velocity')?.because).toMatch(
      /^values equal to .*; \d tensors fit, the name decides$/,
    );
  });

  it('go in order where names say nothing, and that is said', () => {
    const reference = randomReference(layers.map((name) => ({ name, values: same })));
    const ours = new Map([...right(reference).values()].map((t, i) => [`${'zyxw'[i]}!`, t]));
    expect(proposed(ours, reference)).toEqual({
      'z!': 'conv',
      'y!': 'relu',
      'x!': 'pool',
      'w!': 'fc',
    });
    const why = whyOf(ours, reference, 'y!');
    expect(why?.how).toBe('guess');
    expect(why?.because).toMatch(/^ambiguous: 7 tensors fit, taken in order; values equal to/);
  });

  it('of zeros lie between neighbours that are known', () => {
    const zeros = float64([8], new Float64Array(8));
    const given = Array.from({ length: 12 }, (_, i) =>
      i % 2 === 0
        ? { name: `p${'abcdef'[i / 2]}`, values: random([5, i + 2], i + 1) }
        : { name: `q${'abcdef'[(i - 1) / 2]}`, values: zeros },
    );
    const reference = randomReference(given);
    // Two of the six are not recorded.
    const kept = [...right(reference)].filter((_, i) => i !== 3 && i !== 9);
    const ours = new Map(kept.map(([, t], i) => [`${'zyxwvutsrq'[i]}`, t]));
    const meant = Object.fromEntries(kept.map(([name], i) => ['zyxwvutsrq'[i], name]));
    expect(proposed(ours, reference)).toEqual(meant);
  });

  it('whose axes may lie either way take the order of the others', () => {
    const reference = randomReference([
      { name: 'a.weight', kind: 'weight', values: random([4, 4], 1) },
      { name: 'b.weight', kind: 'weight', values: random([4, 4], 2) },
      { name: 'c.weight', kind: 'weight', values: float64([4, 4], new Float64Array(16).fill(1)) },
    ]);
    const ours = new Map([...right(reference)].map(([name, t]) => [name, permuted(t, [1, 0])]));
    const layouts = proposeNames(ours, reference).proposals.map(({ layout }) => layout);
    expect(layouts).toEqual(['IO', 'IO', 'IO']);
  });

  it('are told from numbers of another type', () => {
    const one = (name: string, values: Tensor): Given => ({ name, values });
    const reference = randomReference([
      one('bn.num_batches_tracked', tensor('int64', [], BigInt64Array.of(1n))),
      one('fc.weight.step', float64([], [1])),
    ]);
    const ours = new Map<string, Tensor>([
      ['t', tensor('float32', [], Float32Array.of(1))],
      ['n', tensor('int32', [1], Int32Array.of(1))],
    ]);
    expect(proposed(ours, reference)).toEqual({
      t: 'fc.weight.step',
      n: 'bn.num_batches_tracked',
    });
  });

  it('losses of several steps are told apart', () => {
    const losses = [1.61, 1.609, 1.6089, 1.60889];
    const reference = randomReference(
      losses.map((x, i) => ({
        name: i === 0 ? 'loss' : `step${i}/loss`,
        values: float64([], [x]),
      })),
    );
    const ours = new Map([2, 0, 3, 1].map((i) => [`L${'cadb'[i]}`, float32([1], [losses[i]])]));
    expect(proposed(ours, reference)).toEqual({
      Lc: 'loss',
      La: 'step1/loss',
      Ld: 'step2/loss',
      Lb: 'step3/loss',
    });
  });
});

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
