import type { StageName } from '../reference/manifest.ts';
import { backward } from './backward/backward.ts';
import { ddp } from './ddp/ddp.ts';
import { epochs } from './epochs/epochs.ts';
import { forward } from './forward.ts';
import { loss } from './loss.ts';
import { metric } from './metric.ts';
import { ops } from './ops/ops.ts';
import type { Stage } from './stage.ts';
import { swa } from './swa.ts';
import { train } from './train.ts';

export const stages: { readonly [S in StageName]: Stage } = {
  ops,
  forward,
  metric,
  loss,
  backward,
  train,
  swa,
  epochs,
  ddp,
};
