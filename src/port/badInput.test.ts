import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import '../vitest.ts';
import { judge } from './judgeWithCauses.ts';
import type { PortReference } from './portReference.ts';
import { Recorder } from './recorder.ts';
import { randomReference } from './testdata/randomReference.ts';

/* What programs without types may hand over: one line each, and no pass. */

const reference = randomReference([
  { name: 'x', kind: 'input' },
  { name: 'a.output', shape: [4, 25], layer: 'a', what: 'Tanh()', from: ['x'] },
  { name: 'loss', kind: 'loss', shape: [], from: ['a.output'] },
]);
const right = (name: string): Tensor => reference.whole(reference.probe(name));
const recording = (): Recorder =>
  new Recorder(reference).add('a.output', right('a.output')).add('loss', right('loss'));

const oneLine = (act: () => unknown, why: RegExp): void => {
  expect(act).toThrow(why);
  expect(act).toThrow(UsageError);
  expect(act).not.toThrow(/\n/);
};

describe('the judge', () => {
  it.each<[string, unknown, unknown, unknown, RegExp]>([
    ['no recording', undefined, reference, {}, /^undefined is not a recording; give a Recorder/],
    ['a path', 'ours.npz', reference, {}, /^ours\.npz is not a recording; .*readRecording\(path\)/],
    ['a list', [1, 2], reference, {}, /is not a recording/],
    ['a promise', Promise.resolve(), reference, {}, /the recording is a promise; await it/],
    ['what is not a tensor', { loss: 'low' }, reference, {}, /^loss: is not a tensor/],
    [
      'a shape that is not filled',
      { loss: { ...right('loss'), shape: [2] } },
      reference,
      {},
      /^loss: 1 elements do not fill shape \[2\]/,
    ],
    ['no reference', recording(), undefined, {}, /^undefined is not a reference; give what open/],
    ['its path', recording(), 'ref', {}, /^"ref" is not a reference/],
    ['a pattern alone', recording(), reference, { only: 'loss' }, /^only cannot be loss; give a l/],
    ['patterns of numbers', recording(), reference, { except: [1] }, /^except cannot be 1/],
    ['ratio NaN', recording(), reference, { ratio: Number.NaN }, /^ratio cannot be NaN; give a n/],
    ['ratio 0', recording(), reference, { ratio: 0 }, /^ratio cannot be 0/],
    ['a ratio as text', recording(), reference, { ratio: '4' }, /^ratio cannot be 4/],
    ['a precision', recording(), reference, { precision: 'bf16' }, /bf16; give float32, tf32, f/],
    ['an option', recording(), reference, { parital: true }, /^there is no option parital; there/],
    ['toString', recording(), reference, { toString: 1 }, /^there is no option toString/],
  ])('refuses %s', (_, ours, ref, options, why) => {
    oneLine(() => judge(ours as never, ref as never, options as never), why);
  });

  it('takes tensors by name as a Recorder takes them', () => {
    const [a, loss] = [right('a.output'), Number(right('loss').data[0])];
    const lists = { data: [...(a.data as Float32Array)], shape: a.shape };
    const { passed, message } = judge({ 'a.output': lists, loss }, reference);
    expect(passed, message).toBe(true);
    const map = new Map([['a.output', a]]);
    expect(judge(map, reference, { partial: true }).passed).toBe(true);
    expect(judge(map, reference).message).toContain('--partial (partial: true) allows: loss');
  });
});

describe('the matcher', () => {
  const ours = (data: Float32Array | Int32Array, shape: number[]) => () =>
    expect({ data, shape }).toAlignWith(reference.probe('a.output'));

  it.each<[string, () => unknown, RegExp]>([
    ['NaN', ours(new Float32Array(100).fill(Number.NaN), [4, 25]), /our element 0 is NaN/],
    ['another shape', ours(new Float32Array(100), [25, 4]), /against \[4, 25\], transposed/],
    ['another type', ours(new Int32Array(100), [4, 25]), /dtype int32 against float32/],
  ])('fails %s, and names the layer', (_, act, why) => {
    expect(act).toThrow(why);
    expect(act).toThrow(/made by a: Tanh\(\)/);
  });

  it('refuses what is none of its arguments', () => {
    const nothing = undefined as unknown as PortReference;
    oneLine(() => expect(recording()).toAlignWith(nothing), /^undefined is not a reference/);
    oneLine(() => expect('ours').toAlignWith(reference), /^ours is not a recording/);
    oneLine(() => expect(null).toAlignWith(reference.probe('loss')), /^loss: is not a tensor/);
    const later = Promise.resolve(recording());
    oneLine(() => expect(later).toAlignWith(reference), /is a promise; await it first/);
    const typo = { parital: true } as object;
    oneLine(() => expect(recording()).toAlignWith(reference, typo), /no option parital/);
    oneLine(
      () => expect(recording()).toAlignWith(reference, { layout: 'NHWC' }),
      /layout and pass are of one tensor.*rec\.add/,
    );
    expect(recording()).toAlignWith(reference);
  });
});

describe('a recorder', () => {
  const add = (name: unknown, pass?: number) => () =>
    new Recorder().add(name as string, 1, pass === undefined ? {} : { pass });

  it('refuses names and passes that are none', () => {
    oneLine(add(''), /is not a name; name the probe/);
    oneLine(add(undefined), /^undefined is not a name/);
    oneLine(add('loss', -1), /^loss: there is no pass -1; count passes from 0/);
    oneLine(add('loss', 0.5), /there is no pass 0\.5/);
    const ask = { dtype: 'float' } as unknown as { dtype: 'float32' };
    oneLine(() => reference.input('x', ask), /^x: float is not a type of element; ask for float16/);
  });

  it('keeps what was recorded first', () => {
    const twice = new Recorder().add('y', tensor('float32', [], Float32Array.of(1)));
    oneLine(() => twice.add('y', 2), /^y: was recorded already/);
    expect(twice.tensors.get('y')!.data[0]).toBe(1);
  });
});
