import type { Family } from '../plant.ts';
import { data } from './data.ts';
import { evaluation } from './evaluation.ts';
import { gradients } from './gradients.ts';
import { layers } from './layers.ts';
import { losses } from './loss.ts';
import { optimiser, rates } from './optimiser.ts';
import { initialisation, randomness } from './randomness.ts';
import { averaging } from './swa.ts';

/** Every planted bug, by family. */
export const catalogue: readonly Family[] = [
  layers,
  gradients,
  losses,
  optimiser,
  rates,
  data,
  initialisation,
  randomness,
  averaging,
  evaluation,
];
