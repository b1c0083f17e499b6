import type { Module } from '../nn/module.ts';
import { hasBatchNorm } from '../program/batchNormRefresh.ts';
import { type Tensor, toFloat64 } from '../tensor/tensor.ts';
import { tolerances } from './tolerances.ts';

/** A largest error that passes, and why it is that. */
export interface Limit {
  readonly value: number;
  readonly why: string;
}

/** Relative error of one rounding to float32. */
export const float32Rounding = 2 ** -24;

/**
 * Our error in units of PyTorch's own. Where PyTorch is nearer to the truth than one rounding (it copies,
 * it cuts to zero, it was lucky) the unit is that rounding.
 */
export const ratioToPyTorch = (ours: number, pytorch: number): number =>
  ours / Math.max(pytorch, float32Rounding);

const short = (x: number): string => x.toExponential(1);

/**
 * The largest error to float64 that passes beside PyTorch's own error there, and never more than `bar`: a
 * reference on which PyTorch itself lost its way must not widen the gate.
 */
export function limitBeside(pytorch: number, bar: number): Limit {
  const { ratio } = tolerances;
  const value = ratio * Math.max(pytorch, float32Rounding);
  if (value > bar) return { value: bar, why: 'the upper bound for this kind of model' };
  const why =
    pytorch < float32Rounding
      ? `${ratio} float32 roundings, PyTorch being within one`
      : `${ratio} × PyTorch's own error ${short(pytorch)}`;
  return { value, why };
}

/** The upper bound on every relative error of a model, whatever PyTorch's own is. */
export const barFor = (model: Module): number =>
  hasBatchNorm(model) ? tolerances.relativeL2BatchNorm : tolerances.relativeL2;

/** Root of the mean square. */
export function rms(t: Tensor): number {
  const values = toFloat64(t);
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
}

/**
 * ‖found − truth‖ / ‖truth‖; with a scale (for a truth that is zero but for rounding) the RMS of the
 * difference over it. 0 where both vanish, Infinity where only the truth does.
 */
export function relativeError(found: Tensor, truth: Tensor, scale?: number): number {
  const [a, b] = [toFloat64(found), toFloat64(truth)];
  let [squares, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    squares += (a[i] - b[i]) ** 2;
    norm += b[i] * b[i];
  }
  if (scale !== undefined) return Math.sqrt(squares / b.length) / scale;
  return squares === 0 ? 0 : Math.sqrt(squares / norm);
}
