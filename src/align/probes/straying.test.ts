import { describe, expect, it } from 'vitest';
import { randomNumbers, randomReference } from '../../port/testdata/randomReference.ts';
import { firstDivergence } from '../../report/divergence.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { passed } from '../judge/verdict.ts';
import { type JudgeOptions, judgeProbes } from './judgeProbes.ts';
import { off } from './testdata/off.ts';

describe('where PyTorch itself strays', () => {
  const truth = tensor('float64', [100], randomNumbers(100, 5));
  const strayed = (error: number, dtype = 'float32') =>
    randomReference([
      { name: 'y', values: truth, dtype, pytorch: off(truth, error) },
      { name: 'z', from: ['y'] },
    ]);
  const judged = (error: number, ours: Tensor, options?: JudgeOptions) =>
    judgeProbes(new Map([['y', ours]]), strayed(error), { ...options, partial: true });

  it('says that a tensor proves little, in its verdict, the notes and the count', () => {
    const found = judged(0.03, truth);
    expect(found.verdicts[0].warning).toMatch(
      /^what is off by 12 % passes, for PyTorch's own error 3\.0e-2: this tensor proves little$/,
    );
    expect(found.notes.join()).toContain('y: what is off by 12 % passes');
    expect(firstDivergence(found)[0]).toBe(
      '1 tensor aligned with PyTorch, 1 of which proves little',
    );
    const sharp = judged(0.01, truth);
    expect(sharp.verdicts[0].warning).toBeUndefined();
    expect(firstDivergence(sharp)[0]).toBe('1 tensor aligned with PyTorch');
  });

  it('never passes zeros or noise, however far it strays', () => {
    const zeros = tensor('float64', [100], new Float64Array(100));
    for (const error of [0.3, 1, 30]) {
      expect(judged(error, truth).verdicts.every(passed)).toBe(true);
      for (const ours of [
        zeros,
        off(truth, 0.6),
        tensor(
          'float64',
          [100],
          truth.data.map((x) => -x),
        ),
      ])
        expect(judged(error, ours).verdicts.some(passed)).toBe(false);
    }
    const coarse = judged(1e-5, zeros, { precision: 'bfloat16' });
    expect(coarse.verdicts.some(passed)).toBe(false);
    expect(coarse.verdicts[0].warning).toMatch(/off by 50 % passes.* × 65536 for bfloat16/);
  });

  it('of what is zero but for rounding asks that it is as small, and says that this is little', () => {
    const zero = tensor('float64', [100], new Float64Array(100));
    const noise = (size: number, seed: number) =>
      tensor(
        'float64',
        [100],
        randomNumbers(100, seed).map((x) => size * x),
      );
    const ref = randomReference([{ name: 'y', values: zero, pytorch: noise(1e-9, 1) }]);
    const verdict = (ours: Tensor) => judgeProbes(new Map([['y', ours]]), ref).verdicts[0];
    expect(passed(verdict(noise(1e-9, 2)))).toBe(true);
    expect(passed(verdict(zero))).toBe(true);
    expect(passed(verdict(noise(1e-8, 2)))).toBe(false);
    expect(verdict(zero).warning).toMatch(/^what is off by 400 % of the RMS of PyTorch's float32/);
  });

  it('counts in roundings of the type that PyTorch computed in', () => {
    const near = (dtype: string, error: number, options?: JudgeOptions) => {
      const ours = new Map([['y', off(truth, error)]]);
      return judgeProbes(ours, strayed(1e-9, dtype), {
        ...options,
        partial: true,
      }).verdicts.every(passed);
    };
    const rounding = { float32: 2 ** -24, float16: 2 ** -11, bfloat16: 2 ** -8 };
    for (const [dtype, one] of Object.entries(rounding)) {
      expect(near(dtype, 3.9 * one)).toBe(true);
      expect(near(dtype, 4.1 * one)).toBe(false);
      // What is coarse already is not made coarser.
      const precision = dtype === 'float32' ? undefined : (dtype as 'float16');
      if (precision) expect(near(dtype, 4.1 * one, { precision })).toBe(false);
    }
  });
});
