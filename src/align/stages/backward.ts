import { startingWeights } from '../seedWeights.ts';
import type { Stage } from '../stage.ts';
import { kinkFreeBatch } from './kinkFreeBatch.ts';
import { layerByLayer } from './layerByLayer.ts';
import { ncpaddleLosses } from './ncpaddleLosses.ts';
import { merged } from './parts.ts';
import { sgdByItself } from './sgdByItself.ts';

/**
 * Forward, backward and SGD, in four parts: one step layer by layer; the update rule by itself on PyTorch's
 * gradients; three steps on the batch on which no decision is near its kink, where every gradient counts;
 * and the original port's own check, losses alone. The parts that point at one place come first.
 */
export const backward: Stage = async (context) => {
  const { weights, verdict } = startingWeights(context);
  const parts = [
    await layerByLayer(context, weights),
    await sgdByItself(context, weights),
    await kinkFreeBatch(context, weights),
    await ncpaddleLosses(context, weights),
  ];
  const all = merged(parts);
  return { ...all, verdicts: [verdict, ...all.verdicts] };
};
