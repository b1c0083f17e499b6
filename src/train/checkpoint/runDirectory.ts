import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { type Claim, type ClaimOptions, tryClaim } from '../../io/output/claim.ts';
import type { TrainingSettings } from '../settings/trainingSettings.ts';
import { listCheckpoints } from './checkpointFiles.ts';

/** The directory of a run that names none: `checkpoints/vgg16-cifar10-swa-seed1`. */
const defaultDirectory = (settings: TrainingSettings): string => {
  const { dataset, swa, seed } = settings;
  return join('checkpoints', `${modelPart(settings)}-${dataset}${swa ? '-swa' : ''}-seed${seed}`);
};

/** How names of directories call a model: `vgg16`, `vgg16bn-narrow8`. */
export const modelPart = ({ model, narrow }: TrainingSettings): string =>
  narrow === undefined ? model : `${model}-narrow${narrow}`;

/** `name`, `name-2`, `name-3` … */
const numbered = (name: string, n: number): string => (n === 1 ? name : `${name}-${n}`);

const hasCheckpoints = (dir: string): boolean => listCheckpoints(dir).length > 0;

/** Claims where a new run goes by default: the first such directory that no run has or is about to have. */
export async function claimFreshDirectory(
  settings: TrainingSettings,
  options?: ClaimOptions,
): Promise<Claim> {
  const name = defaultDirectory(settings);
  for (let n = 1; ; n++) {
    const dir = numbered(name, n);
    if (hasCheckpoints(dir)) continue;
    const taken = await tryClaim(dir, options);
    if ('holder' in taken) continue;
    // Another run may have begun, saved and ended between the look and the claim.
    if (!hasCheckpoints(dir)) return taken.claim;
    taken.claim.release();
  }
}

/** Where a run of these settings went last by default; the first such directory where none has a checkpoint. */
export function lastDirectory(settings: TrainingSettings): string {
  const name = defaultDirectory(settings);
  for (let n = 1; ; n++) {
    if (!hasCheckpoints(numbered(name, n + 1))) return numbered(name, n);
  }
}

/** Throws UsageError when a new run would mix its checkpoints with another's. */
export function checkUnused(dir: string): void {
  if (!hasCheckpoints(dir)) return;
  throw new UsageError('holds the checkpoints of an earlier run', {
    where: dir,
    fix: 'add --resume to continue it, or give another --dir',
  });
}
