import { startingWeights, storedWeights } from '../seedWeights.ts';
import type { Stage } from '../stage.ts';
import { kinkFreeBatch } from './kinkFreeBatch.ts';
import { ncpaddleLosses } from './ncpaddleLosses.ts';
import { merged } from './parts.ts';
import { sgdByItself } from './sgdByItself.ts';

/**
 * Forward, backward and SGD, two or three times over, in three parts: the batch on which no decision is near its
 * kink, where every gradient counts; the original port's own check, losses alone; and the update rule by
 * itself on PyTorch's gradients.
 */
export const backward: Stage = async (context) => {
  const { reference } = context;
  const { weights, verdict } = startingWeights(context);
  // Deep residual networks begin from batch-norm biases that keep their decisions from their kinks.
  const { batch } = reference.stage('backward').kinkfree;
  const start = new Map([...weights, ...storedWeights(reference.arrays(batch))]);
  const parts = [
    await kinkFreeBatch(context, start),
    await sgdByItself(context, start),
    await ncpaddleLosses(context, weights),
  ];
  const all = merged(parts);
  return { ...all, verdicts: [verdict, ...all.verdicts] };
};
