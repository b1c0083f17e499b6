import type { Backend } from '../../backends/backend.ts';
import { openBackend } from '../../backends/choose.ts';
import { readWeights } from '../../io/weights.ts';
import type { Network } from '../../nn/module.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { buildModel } from '../../train/checkpoint/trainedModel.ts';
import type { Dataset } from '../../train/dataset.ts';
import type { TrainingSettings } from '../../train/settings/trainingSettings.ts';
import { fittedWeights } from '../../train/stateDict.ts';
import type { BackendFlags, PrecisionFlag } from '../arguments/backendFlags.ts';
import type { CliContext } from '../context.ts';
import { openNamedDataset } from '../download.ts';
import { live } from '../terminal/liveLine.ts';
import type { TrainFlags } from './givenSettings.ts';

/** What a run reads and computes on. */
export interface OpenedRun {
  readonly model: Network;
  readonly dataset: Dataset;
  readonly dataPath: string | undefined;
  readonly backend: Backend;
  /** Those of `--weights`. */
  readonly weights?: TensorMap;
}

/** Reads the data set and the weights to begin with, and opens the backend, in this order. */
export async function openRun(
  settings: TrainingSettings,
  dataPath: string | undefined,
  flags: Pick<TrainFlags, 'weights' | keyof BackendFlags | keyof PrecisionFlag>,
  context: Pick<CliContext, 'print'>,
): Promise<OpenedRun> {
  const { dataset: named } = settings;
  live.begin(`reading ${named}`);
  const dataset = await openNamedDataset(named, dataPath);
  const model = buildModel(settings);
  const given =
    flags.weights === undefined
      ? undefined
      : fittedWeights(model, readWeights(flags.weights), flags.weights);
  for (const note of given?.notes ?? []) context.print(`${flags.weights}: ${note}`);
  live.begin(`opening ${flags.backend}`);
  const backend = await openBackend(flags.backend, flags);
  return { model, dataset, dataPath, backend, ...(given && { weights: given.weights }) };
}
