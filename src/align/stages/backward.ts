import { startingWeights } from '../seedWeights.ts';
import type { Stage } from '../stage.ts';
import { kinkFreeBatch } from './kinkFreeBatch.ts';
import { ncpaddleLosses } from './ncpaddleLosses.ts';
import { merged } from './parts.ts';
import { sgdByItself } from './sgdByItself.ts';

/**
 * Forward, backward and SGD, three times over, in three parts: the batch on which no decision is near its
 * kink, where every gradient counts; the original port's own check, losses alone; and the update rule by
 * itself on PyTorch's gradients.
 */
export const backward: Stage = async (context) => {
  const { weights, verdict } = startingWeights(context);
  const parts = [
    await kinkFreeBatch(context, weights),
    await sgdByItself(context, weights),
    await ncpaddleLosses(context, weights),
  ];
  const all = merged(parts);
  return { ...all, verdicts: [verdict, ...all.verdicts] };
};
