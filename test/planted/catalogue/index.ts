import type { Family } from '../plant.ts';
import { otherOptimizers } from './adam.ts';
import { data } from './data.ts';
import { distributed } from './distributed.ts';
import { evaluation } from './evaluation.ts';
import { gradients } from './gradients.ts';
import { initialisation } from './initialisation.ts';
import { layers } from './layers.ts';
import { leftOut } from './leftOut.ts';
import { losses, shortBatches } from './loss.ts';
import { normalisation } from './normalisation.ts';
import { optimiser, rates, updates } from './optimiser.ts';
import { precision } from './precision.ts';
import { preparations } from './preparation.ts';
import { randomness } from './randomness.ts';
import { residualBlocks } from './residual.ts';
import { resuming } from './resuming.ts';
import { runningStatistics } from './runningStatistics.ts';
import { settings } from './settings.ts';
import { averaging, carrying, joining, refreshing } from './swa.ts';

/** Every planted bug, by family. */
export const catalogue: readonly Family[] = [
  layers,
  normalisation,
  gradients,
  losses,
  shortBatches,
  optimiser,
  updates,
  rates,
  settings,
  data,
  preparations,
  initialisation,
  randomness,
  resuming,
  distributed,
  joining,
  carrying,
  averaging,
  refreshing,
  evaluation,
  otherOptimizers,
  precision,
  runningStatistics,
  residualBlocks,
  leftOut,
];
