import type { Hypothesis } from '../hypothesis.ts';
import { activationHypotheses } from './activations.ts';
import { orderHypotheses } from './order.ts';
import { scaleHypotheses } from './scale.ts';
import { staleHypotheses } from './stale.ts';

/** Every kind of mistake that is looked for; of two that explain as much, the earlier one is told. */
export const hypotheses: readonly Hypothesis[] = [
  ...activationHypotheses,
  ...staleHypotheses,
  ...orderHypotheses,
  ...scaleHypotheses,
];
