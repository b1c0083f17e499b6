import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../../port/recorder.ts';
import { type Given, randomNumbers, randomReference } from '../../port/testdata/randomReference.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { passed } from '../judge/verdict.ts';
import { samplePositions } from '../reference/samplePositions.ts';
import { type JudgeOptions, judgeProbes } from './judgeProbes.ts';
import { off } from './testdata/off.ts';

const integers = tensor('int64', [3], BigInt64Array.of(4n, -2n, 2n ** 53n + 1n));

const probes: readonly Given[] = [
  { name: 'input', kind: 'input' },
  { name: 'a.output', layer: 'a', from: ['input'] },
  { name: 'b.output', layer: 'b', what: 'Linear(100, 100)', from: ['a.output'] },
  { name: 'c.output', layer: 'c', from: ['b.output'] },
  { name: 'predictions', kind: 'prediction', values: integers, from: ['c.output'] },
  { name: 'loss', kind: 'loss', shape: [], from: ['c.output'] },
];
const reference = randomReference(probes);

const recordOf = (name: string) => reference.record(reference.probe(name))!;

/** A port that is right. */
const right = (): Map<string, Tensor> =>
  new Map(
    ['a.output', 'b.output', 'c.output', 'predictions', 'loss'].map((name) => [
      name,
      reference.whole(reference.probe(name)),
    ]),
  );

const failures = (ours: TensorMap, options?: JudgeOptions): string[] =>
  judgeProbes(ours, reference, options)
    .verdicts.filter((v) => !passed(v))
    .map(({ name }) => name);

const problemOf = (ours: TensorMap, name: string): string | undefined =>
  judgeProbes(ours, reference).verdicts.find((v) => v.name === name)!.problem;

describe('a recording held against a reference', () => {
  it('passes where it is right, in the order in which things are computed', () => {
    const { verdicts, missing, extra, notes } = judgeProbes(
      new Map([...right()].toReversed()),
      reference,
    );
    expect(verdicts.every(passed)).toBe(true);
    expect(verdicts.map(({ name }) => name)).toEqual([...right().keys()]);
    expect({ missing, extra, notes }).toEqual({ missing: [], extra: [], notes: [] });
  });

  it("passes at `ratio` times PyTorch's own error and no further", () => {
    const { truth, pytorch } = recordOf('b.output');
    const [t, p] = [toFloat64(truth), toFloat64(pytorch)];
    const own = Math.hypot(...t.map((v, i) => v - p[i])) / Math.hypot(...t);
    // One float32 rounding is the least that an error is counted in.
    const unit = Math.max(own, 2 ** -24);
    fc.assert(
      fc.property(fc.double({ min: 3, max: 1000, noNaN: true }), (ratio) => {
        const at = (error: number) =>
          failures(new Map([...right(), ['b.output', off(truth, error)]]), { ratio });
        // Ours is rounded to float32 before it is measured, which adds one unit at a right angle.
        expect(at(unit * ratio * 0.9)).toEqual([]);
        expect(at(unit * ratio * 1.1)).toEqual(['b.output']);
      }),
    );
  });

  it('allows more in a coarser precision only where that is asked for', () => {
    const ours = new Map([
      ...right(),
      ['a.output', off(recordOf('a.output').truth, 1e-3)] as const,
    ]);
    expect(failures(ours)).toEqual(['a.output']);
    expect(failures(ours, { precision: 'tf32' })).toEqual([]);
    expect(failures(ours, { precision: 'float16' })).toEqual([]);
    const wrong = new Map([
      ...right(),
      ['a.output', off(recordOf('a.output').truth, 0.1)] as const,
    ]);
    expect(failures(wrong, { precision: 'bfloat16' })).toEqual(['a.output']);
  });

  it('takes half floats where the port computes in them', () => {
    const [small, half] = [[0.5, -0.25, 1.5], Uint16Array.of(0x3800, 0xb400, 0x3e00)];
    const of = randomReference([
      { name: 'y', values: tensor('float64', [3], Float64Array.from(small)) },
    ]);
    const ours = new Map([['y', tensor('float16', [3], half)]]);
    expect(judgeProbes(ours, of).verdicts[0].problem).toBe(
      'dtype float16 against float32; allow it by --precision float16',
    );
    expect(passed(judgeProbes(ours, of, { precision: 'float16' }).verdicts[0])).toBe(true);
  });

  it('judges what is asked for by name', () => {
    const names = (options: JudgeOptions) =>
      judgeProbes(right(), reference, options).verdicts.map(({ name }) => name);
    expect(names({ only: ['?.output', 'loss'] })).toEqual([
      'a.output',
      'b.output',
      'c.output',
      'loss',
    ]);
    expect(names({ except: ['*.output'] })).toEqual(['predictions', 'loss']);
    expect(names({ only: ['*.output'], except: ['b*'] })).toEqual(['a.output', 'c.output']);
    expect(() => names({ only: ['encoder.*'] })).toThrow(
      'ref: "encoder.*" matches no probe; a pattern must match a whole name',
    );
    expect(() => names({ except: ['los'] })).toThrow(/"los" matches no probe/);
    expect(() => names({ except: ['*'] })).toThrow('ref: no probe is left to judge');
  });

  it('fails for what was not recorded, and tells it where that is allowed', () => {
    const ours = right();
    ours.delete('b.output');
    ours.set('mine', integers);
    const whole = judgeProbes(ours, reference);
    expect(whole.verdicts.find((v) => !passed(v))).toMatchObject({
      name: 'b.output',
      problem: 'missing on our side',
    });
    const part = judgeProbes(ours, reference, { partial: true });
    expect(part.verdicts.every(passed)).toBe(true);
    expect(part.missing).toEqual(['b.output']);
    expect(part.extra).toEqual(['mine']);
    expect(part.notes).toEqual([
      'not recorded: b.output (1 of 6)',
      'recorded, and no probe of the reference: mine',
    ]);
  });

  it('inherits over what was not recorded', () => {
    const ours = right();
    ours.delete('b.output');
    for (const name of ['a.output', 'c.output']) ours.set(name, off(ours.get(name)!, 0.1));
    const { verdicts } = judgeProbes(ours, reference, { partial: true });
    expect(verdicts.find(({ name }) => name === 'c.output')!.inherits).toEqual(['a.output']);
    expect(verdicts.find(({ name }) => name === 'a.output')!.inherits).toBeUndefined();
  });

  it('holds integers to the bit, in whatever width they come', () => {
    const with3 = (t: Tensor) => new Map([...right(), ['predictions', t] as const]);
    expect(failures(with3(tensor('int64', [3], BigInt64Array.of(4n, -2n, 2n ** 53n))))).toEqual([
      'predictions',
    ]);
    const small = randomReference([
      { name: 'p', values: tensor('int64', [2], BigInt64Array.of(3n, 200n)) },
    ]);
    const verdict = (t: Tensor) => judgeProbes(new Map([['p', t]]), small).verdicts[0];
    expect(passed(verdict(tensor('int32', [2], Int32Array.of(3, 200))))).toBe(true);
    expect(passed(verdict(tensor('uint8', [2], Uint8Array.of(3, 200))))).toBe(true);
    expect(passed(verdict(tensor('uint8', [2], Uint8Array.of(3, 201))))).toBe(false);
    expect(verdict(tensor('float32', [2], Float32Array.of(3, 200))).problem).toBe(
      'dtype float32 against int64',
    );
  });

  it('fails an integer that the width of PyTorch cannot hold', () => {
    const small = randomReference([{ name: 'p', values: tensor('uint8', [1], Uint8Array.of(4)) }]);
    const wrapped = tensor('int32', [1], Int32Array.of(260));
    expect(passed(judgeProbes(new Map([['p', wrapped]]), small).verdicts[0])).toBe(false);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('fails %d and says where it is', (bad) => {
    const values = toFloat64(recordOf('a.output').truth).slice();
    values[7] = bad;
    const ours = new Map([...right(), ['a.output', tensor('float64', [100], values)] as const]);
    expect(problemOf(ours, 'a.output')).toBe(`our element 7 is ${bad}`);
  });

  it.each<[readonly number[], string]>([
    [[100, 1], 'shape [100, 1] against [100]'],
    [[99], 'shape [99] against [100]'],
    [[0], 'shape [0] against [100]'],
  ])('fails the shape %j', (shape, problem) => {
    const ours = tensor('float32', shape, new Float32Array(sizeOf(shape)));
    expect(problemOf(new Map([...right(), ['a.output', ours]]), 'a.output')).toBe(problem);
  });

  it('says which shape is another order of the axes', () => {
    const of = randomReference([{ name: 'y', shape: [2, 3, 4] }]);
    const problem = (shape: readonly number[]) =>
      judgeProbes(new Map([['y', tensor('float32', shape, new Float32Array(24))]]), of).verdicts[0]
        .problem;
    expect(problem([4, 3, 2])).toMatch(/, transposed$/);
    expect(problem([3, 2, 4])).toMatch(/, the axes in another order$/);
    expect(problem([6, 4])).toBe('shape [6, 4] against [2, 3, 4]');
  });

  it('takes one number as one number, whatever axes it has', () => {
    const { pytorch } = recordOf('loss');
    for (const shape of [[], [1], [1, 1]]) {
      const loss = tensor('float32', shape, pytorch.data as Float32Array);
      expect(failures(new Map([...right(), ['loss', loss]]))).toEqual([]);
    }
    const two = tensor('float32', [2], new Float32Array(2));
    expect(failures(new Map([...right(), ['loss', two]]))).toEqual(['loss']);
  });

  it.each<[string, number]>([
    ['constant', 0.75],
    ['zero', 0],
  ])('judges a tensor that is %s everywhere', (_, value) => {
    const of = randomReference([
      { name: 'y', values: tensor('float64', [50], new Float64Array(50).fill(value)) },
    ]);
    const verdict = (data: Float32Array) =>
      judgeProbes(new Map([['y', tensor('float32', [50], data)]]), of).verdicts[0];
    const same = new Float32Array(50).fill(value);
    expect(passed(verdict(same))).toBe(true);
    expect(passed(verdict(same.map((v, i) => (i === 3 ? v + 1e-3 : v))))).toBe(false);
  });

  it('measures by its scale what is zero but for rounding', () => {
    const zero = tensor('float64', [50], new Float64Array(50));
    const of = randomReference([
      { name: 'y', values: zero, scale: { value: 2, what: 'the RMS of y.weight.grad' } },
    ]);
    const [small, large] = [1e-8, 1e-5].map((error) => {
      const ours = tensor('float32', [50], new Float32Array(50).fill(error));
      return judgeProbes(new Map([['y', ours]]), of).verdicts[0];
    });
    expect(passed(small)).toBe(true);
    expect(passed(large)).toBe(false);
    expect(large.checks[0]).toMatchObject({ method: 'scaled', value: expect.closeTo(5e-6, 8) });
    expect(large.checks[0].note).toContain('the RMS of y.weight.grad');
  });

  it('judges what was given to a port where it recorded it, to the bit', () => {
    const input = reference.whole(reference.probe('input'));
    expect(failures(new Map([...right(), ['input', input]]))).toEqual([]);
    const data = Float32Array.from(toFloat64(input));
    data[0] += 2 ** -20;
    const other = tensor('float32', input.shape, data);
    expect(failures(new Map([...right(), ['input', other]]))).toEqual(['input']);
  });

  it('refuses recordings that have nothing to do with it', () => {
    const named = (name: string) => judgeProbes(new Map([[name, integers]]), reference);
    expect(() => named('los')).toThrow(
      /ref: no probe in common: the recording holds los; the reference a\.output.*did you mean loss\?/,
    );
    expect(() => named('encoder.0')).toThrow(/--map FILE, as docs\/judge-your-port\.md/);
    expect(() => judgeProbes(new Map(), reference)).toThrow(/the recording is empty/);
  });

  describe('of which only a sample is held', () => {
    const shape = [40, 60];
    const large = randomReference([{ name: 'large.output', shape, sample: 600 }]);
    const values = randomNumbers(2400, 1);
    const verdictOn = (data: Float32Array, of = shape) =>
      judgeProbes(new Map([['large.output', tensor('float32', of, data)]]), large).verdicts[0];

    it('passes where it is right', () => {
      expect(passed(verdictOn(Float32Array.from(values)))).toBe(true);
    });

    it('fails where no element of the sample is wrong, by the moments of the whole', () => {
      const held = new Set(samplePositions(2400, 600));
      const wrong = Float32Array.from(values, (v, i) => (held.has(i) ? v : v * 1.001));
      const { checks, ...verdict } = verdictOn(wrong);
      expect(passed({ ...verdict, checks })).toBe(false);
      expect(checks.filter((c) => !c.passed).map((c) => c.method)).toEqual(['moments']);
    });

    it('is not read at other places where the shape is another', () => {
      const { problem } = verdictOn(Float32Array.from(values), [60, 40]);
      expect(problem).toBe('shape [60, 40] against [40, 60], transposed');
    });
  });

  it('tells a type of few digits, also of a tensor that had it in a file', () => {
    const ours = { ...reference.whole(reference.probe('a.output')), stored: 'bfloat16' } as Tensor;
    const { tensors } = new Recorder().add('a.output', ours);
    expect(problemOf(tensors, 'a.output')).toBe(
      'dtype bfloat16 against float32; allow it by --precision bfloat16',
    );
    expect(failures(tensors, { precision: 'bfloat16', partial: true })).toEqual([]);
  });

  it('does not take what a port was given for something that it computed', () => {
    const given = new Map([['input', reference.whole(reference.probe('input'))]]);
    expect(() => judgeProbes(given, reference, { partial: true })).toThrow(/no probe in common/);
    const asked = judgeProbes(given, reference, { only: ['input'] });
    expect(asked.verdicts.map(passed)).toEqual([true]);
  });

  it('reads a reference as it is judged, an array at a time, and no more of it than is asked for', () => {
    const reads: number[] = [];
    const count = 50;
    const many = Array.from({ length: count }, (_, i) => ({
      name: `${i}.output`,
      shape: [30_000],
      sample: 4096,
    }));
    const large = randomReference(many, ({ byteLength, read }) => ({
      byteLength,
      read(begin, end) {
        reads.push(end - begin);
        return read(begin, end);
      },
    }));
    const opened = reads.splice(0).length;
    expect(opened).toBe(2);
    const ours = new Map<string, Tensor>(
      many.map(({ name }, i) => [name, tensor('float64', [30_000], randomNumbers(30_000, i + 1))]),
    );
    expect(judgeProbes(ours, large).verdicts.filter(passed)).toHaveLength(count);
    const [sample, truth, stats] = [4096 * 4, 4096 * 8, 4 * 8];
    const each = [sample, truth, stats].map((size) => reads.filter((n) => n === size).length);
    expect(each).toEqual([count, count, count]);
    expect(reads).toHaveLength(3 * count);
    reads.length = 0;
    judgeProbes(ours, large, { only: ['7.output'] });
    expect(reads).toHaveLength(3);
  });
});
