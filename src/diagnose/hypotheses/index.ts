import type { Hypothesis } from '../hypothesis.ts';
import { activationHypotheses } from './layers/activations.ts';
import { convolutionHypotheses } from './layers/convolutions.ts';
import { maskHypotheses } from './layers/masks.ts';
import { normGradientHypotheses } from './layers/normGradients.ts';
import { normHypotheses } from './layers/norms.ts';
import { poolHypotheses } from './layers/pools.ts';
import { runningHypotheses } from './layers/runningStatistics.ts';
import { strangerHypotheses, termHypotheses } from './layers/terms.ts';
import { castHypotheses } from './numbers/casts.ts';
import { drawHypotheses } from './numbers/draws.ts';
import { imageHypotheses } from './numbers/images.ts';
import { orderHypotheses } from './numbers/order.ts';
import { precisionHypotheses } from './numbers/precision.ts';
import { scaleHypotheses } from './numbers/scale.ts';
import { staleHypotheses } from './numbers/stale.ts';
import { whereHypotheses } from './numbers/where.ts';
import { rankHypotheses } from './training/amongRanks.ts';
import { clippingHypotheses } from './training/clipping.ts';
import { lossHypotheses } from './training/losses.ts';
import { optimizerStepHypotheses } from './training/optimizerStep.ts';
import { otherwiseHypotheses } from './training/otherwise.ts';
import { updateHypotheses } from './training/updates.ts';

/** Every kind of mistake that is looked for; of two that explain as much, the earlier one is told. */
export const hypotheses: readonly Hypothesis[] = [
  ...otherwiseHypotheses,
  ...lossHypotheses,
  ...rankHypotheses,
  ...activationHypotheses,
  ...maskHypotheses,
  ...normHypotheses,
  ...normGradientHypotheses,
  ...runningHypotheses,
  ...convolutionHypotheses,
  ...poolHypotheses,
  // A sum without a term equals the other term: what is missing says more.
  ...optimizerStepHypotheses,
  ...updateHypotheses,
  ...termHypotheses,
  ...staleHypotheses,
  ...drawHypotheses,
  ...orderHypotheses,
  ...strangerHypotheses,
  // A norm that is met says more than the factor that meets it.
  ...clippingHypotheses,
  ...scaleHypotheses,
  ...imageHypotheses,
  ...castHypotheses,
  ...whereHypotheses,
  ...precisionHypotheses,
];
