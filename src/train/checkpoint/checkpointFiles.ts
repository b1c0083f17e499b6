import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { fileError } from '../../io/fileError.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';

/** A checkpoint by its place: `epoch` whole epochs, then `step` steps of the next. */
export interface CheckpointPlace {
  readonly epoch: number;
  readonly step: number;
}

export interface CheckpointFile extends CheckpointPlace {
  readonly path: string;
}

/** `checkpoint-25.safetensors`; amid an epoch `checkpoint-25-step-100.safetensors`. */
export const checkpointFileName = ({ epoch, step }: CheckpointPlace): string =>
  `checkpoint-${epoch}${step === 0 ? '' : `-step-${step}`}.safetensors`;

const namePattern = /^checkpoint-(\d+)(?:-step-(\d+))?\.safetensors$/;
/** What an atomic write leaves behind when the process is killed in its midst. */
const leftoverPattern = /^\.tmp-[0-9a-f]{16}$/;

function filesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(dir, error, 'name a directory for the run');
  }
}

/** A run's checkpoints, the newest first; none where there is no such directory. */
export const listCheckpoints = (dir: string): CheckpointFile[] =>
  filesIn(dir)
    .flatMap((name): CheckpointFile[] => {
      const match = namePattern.exec(name);
      if (match === null) return [];
      const [, epoch, step = '0'] = match;
      return [{ path: join(dir, name), epoch: Number(epoch), step: Number(step) }];
    })
    .sort((a, b) => b.epoch - a.epoch || b.step - a.step);

export interface FoundCheckpoint {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  /** What was wrong with newer ones, a line each. */
  readonly skipped: readonly string[];
}

/**
 * The newest checkpoint of a run that is whole. Throws InputError when there is none, with what was
 * wrong with the newest.
 */
export function newestCheckpoint(dir: string): FoundCheckpoint {
  const skipped: string[] = [];
  for (const { path } of listCheckpoints(dir)) {
    try {
      return { path, checkpoint: readCheckpoint(path), skipped };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      skipped.push(error.message);
    }
  }
  if (skipped.length > 0) {
    throw new InputError(`no checkpoint here is whole: ${skipped[0]}`, { where: dir });
  }
  throw new InputError('holds no checkpoint to resume', {
    where: dir,
    fix: 'give the --dir of the run, or --resume auto, which starts one if there is none',
  });
}

/** Checkpoints amid an epoch that stay when nothing else is asked for: one may be damaged. */
const keptAmidEpochs = 2;

const isAhead = (a: CheckpointPlace, b: CheckpointPlace): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.step > b.step);

/**
 * Removes what is no longer needed by a run that has come to `place`: all but the `keep` newest or, when
 * that is undefined, all but the two newest of those written amid an epoch. Those of later places stay:
 * they were found damaged, or somebody went on from before them, and must not push out what is whole.
 */
export function pruneCheckpoints(
  dir: string,
  keep: number | undefined,
  place: CheckpointPlace,
): void {
  const files = listCheckpoints(dir).filter((file) => !isAhead(file, place));
  const superfluous =
    keep === undefined
      ? files.filter(({ step }) => step > 0).slice(keptAmidEpochs)
      : files.slice(keep);
  for (const { path } of superfluous) rmSync(path, { force: true });
}

/** Removes the temporary files of a process that was killed while it saved. */
export function removeLeftovers(dir: string): void {
  for (const name of filesIn(dir)) {
    if (leftoverPattern.test(name)) rmSync(join(dir, name), { force: true });
  }
}
