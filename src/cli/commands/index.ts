import type { RegisterCommand } from '../context.ts';
import { batches } from './batches.ts';
import { bench } from './bench.ts';
import { compare } from './compare.ts';
import { devices } from './devices.ts';
import { diff } from './diff.ts';
import { evaluation } from './eval.ts';
import { exporting } from './export.ts';
import { profileList } from './profiles.ts';
import { python, recorder } from './python.ts';
import { report } from './report.ts';
import { setup } from './setup.ts';
import { train } from './train.ts';

export const commands: readonly RegisterCommand[] = [
  diff,
  compare,
  train,
  profileList,
  evaluation,
  exporting,
  batches,
  report,
  bench,
  recorder,
  python,
  setup,
  devices,
];
