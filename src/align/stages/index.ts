import type { StageName } from '../manifest.ts';
import type { Stage } from '../stage.ts';
import { backward } from './backward.ts';
import { forward } from './forward.ts';
import { loss } from './loss.ts';
import { metric } from './metric.ts';
import { swa } from './swa.ts';
import { train } from './train.ts';

export const stages: { readonly [S in StageName]: Stage } = {
  forward,
  metric,
  loss,
  backward,
  train,
  swa,
};
