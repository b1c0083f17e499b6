import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { judge } from '../judgeWithCauses.ts';
import { permuted } from '../layout.ts';
import { type Given, randomReference } from '../testdata/randomReference.ts';
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
