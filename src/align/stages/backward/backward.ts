import { sameStart } from '../sameStart.ts';
import type { Stage } from '../stage.ts';
import { kinkFreeBatch } from './kinkFreeBatch.ts';
import { layerByLayer } from './layerByLayer.ts';
import { ncpaddleLosses } from './ncpaddleLosses.ts';
import { sgdByItself } from './sgdByItself.ts';

/**
 * Forward, backward and SGD, in four parts: one step layer by layer; the update rule by itself on PyTorch's
 * gradients; a few steps on the batch on which no decision is near its kink, where every gradient counts;
 * and the original port's own check, losses alone. The parts that point at one place come first.
 */
export const backward: Stage = (reference) => [
  sameStart,
  ...(reference.manifest.stages.trace === undefined ? [] : [layerByLayer]),
  sgdByItself,
  kinkFreeBatch,
  ...(reference.stage('backward').ncpaddle === undefined ? [] : [ncpaddleLosses]),
];
