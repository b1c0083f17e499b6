import { describe, expect, it } from 'vitest';
import { Recorder } from '../../port/recorder.ts';
import type { TensorLike } from '../../port/tensorLike.ts';
import { randomReference } from '../../port/testdata/randomReference.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { passed } from '../judge/verdict.ts';
import { judgeProbes } from './judgeProbes.ts';

describe('whole numbers', () => {
  const truths = tensor('bool', [3], Uint8Array.of(1, 0, 1));
  const small = tensor('int64', [3], BigInt64Array.of(4n, -2n, 0n));
  const of = (values: Tensor, ours: TensorLike) => {
    const found = new Recorder().add('y', ours).tensors;
    const [verdict] = judgeProbes(found, randomReference([{ name: 'y', values }])).verdicts;
    return passed(verdict) || (verdict.problem ?? 'other values');
  };

  it.each<[string, TensorLike]>([
    ['a plain list', [4, -2, 0]],
    ['int32', Int32Array.of(4, -2, 0)],
    ['BigInt64Array', BigInt64Array.of(4n, -2n, 0n)],
    ['bigints', [4n, -2n, 0n]],
    ['Float64Array', Float64Array.of(4, -2, 0)],
  ])('in %s are those of int64 where they are the same', (_, ours) => {
    expect(of(small, ours)).toBe(true);
  });

  it.each<[string, TensorLike]>([
    ['bytes', Uint8Array.of(1, 0, 1)],
    ['truths', [true, false, true]],
    ['a plain list', [1, 0, 1]],
    ['bytes called bool', { data: Uint8Array.of(1, 0, 1), dtype: 'bool' }],
  ])('in %s are those of bool', (_, ours) => {
    expect(of(truths, ours)).toBe(true);
  });

  it.each<[Tensor, TensorLike, string]>([
    [small, [4, -2, 1], 'other values'],
    [small, [4, -2, 0.5], "element 2 is 0.5, PyTorch's are int64"],
    [small, [4, -2, Number.NaN], "element 2 is NaN, PyTorch's are int64"],
    [small, Float32Array.of(4, -2, 0), 'dtype float32 against int64'],
    [truths, Uint8Array.of(1, 0, 2), 'other values'],
    [truths, Uint8Array.of(255, 0, 255), 'other values'],
    [truths, [1, 0, -1], 'dtype float64 against bool'],
    [truths, [2 ** 60, 0, 1], `element 0 is ${2 ** 60}, PyTorch's are bool`],
  ])('of %o are not %o', (values, ours, why) => {
    expect(of(values, ours)).toBe(why);
  });
});
