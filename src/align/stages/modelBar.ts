import type { Module } from '../../nn/module.ts';
import { hasBatchNorm } from '../../program/batchNormRefresh.ts';
import { tolerances } from '../judge/tolerances.ts';

/** The upper bound on every relative error of a model, whatever PyTorch's own is. */
export const barFor = (model: Module): number =>
  hasBatchNorm(model) ? tolerances.relativeL2BatchNorm : tolerances.relativeL2;
