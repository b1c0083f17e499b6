import { join } from 'node:path';
import type { StageName } from '../../align/reference/manifest.ts';
import type { Runs, Witness } from '../../align/sideBySide/runs.ts';
import type { StageResult } from '../../align/stages/stage.ts';
import { writeReprodLog } from '../../io/numpy/reprodLog.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { diffLog } from '../../report/reporters/diffLog.ts';
import type { DiffOptions } from './options.ts';
import { usualModels } from './references.ts';
import { provenanceOf } from './report.ts';

/** The original port's file names. */
const fileStems: { readonly [S in StageName]: string } = {
  ops: 'ops',
  forward: 'forward',
  metric: 'metric',
  loss: 'loss',
  backward: 'bp_align',
  train: 'train_align',
  swa: 'swa',
  epochs: 'epochs',
  ddp: 'ddp',
};

/** Where a witness's logs go: the first model's in the directory itself, each backend's of several in its own. */
function directoryOf({ out }: DiffOptions, { sideBySide }: Runs, witness: Witness): string {
  const { model } = witness.reference.manifest;
  const own = sideBySide ? join(out, witness.name.replaceAll(/[^\w.]+/g, '-')) : out;
  return model === usualModels[0] ? own : join(own, model);
}

/** Writes both sides of a stage and its log. Throws InputError. */
export function writeLogs(
  options: DiffOptions,
  runs: Runs,
  witness: Witness,
  result: StageResult,
): void {
  const stem = join(directoryOf(options, runs, witness), fileStems[result.stage]);
  writeFileAtomic(`${stem}_ts.npy`, writeReprodLog(result.ours));
  writeFileAtomic(`${stem}_pytorch.npy`, writeReprodLog(result.pytorch));
  const log = diffLog(result, provenanceOf(witness), new Date());
  writeFileAtomic(`${stem}_diff.log`, log);
}
