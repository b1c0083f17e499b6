import type { Hypothesis } from '../hypothesis.ts';
import { activationHypotheses } from './activations.ts';
import { castHypotheses } from './casts.ts';
import { clippingHypotheses } from './clipping.ts';
import { convolutionHypotheses } from './convolutions.ts';
import { drawHypotheses } from './draws.ts';
import { imageHypotheses } from './images.ts';
import { lossHypotheses } from './losses.ts';
import { maskHypotheses } from './masks.ts';
import { normGradientHypotheses } from './normGradients.ts';
import { normHypotheses } from './norms.ts';
import { optimizerStepHypotheses } from './optimizerStep.ts';
import { orderHypotheses } from './order.ts';
import { otherwiseHypotheses } from './otherwise.ts';
import { poolHypotheses } from './pools.ts';
import { precisionHypotheses } from './precision.ts';
import { runningHypotheses } from './runningStatistics.ts';
import { scaleHypotheses } from './scale.ts';
import { staleHypotheses } from './stale.ts';
import { strangerHypotheses, termHypotheses } from './terms.ts';
import { updateHypotheses } from './updates.ts';
import { whereHypotheses } from './where.ts';

/** Every kind of mistake that is looked for; of two that explain as much, the earlier one is told. */
export const hypotheses: readonly Hypothesis[] = [
  ...otherwiseHypotheses,
  ...lossHypotheses,
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
