import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../../backends/backend.ts';
import type { Communicator } from '../../../distributed/communicator.ts';
import { modelName } from '../../../nn/models/index.ts';
import { type TensorMap, toFloat64 } from '../../../tensor/tensor.ts';
import { newestCheckpoint } from '../../../train/checkpoint/checkpointFiles.ts';
import { classCount } from '../../../train/dataset.ts';
import type { LogRow } from '../../../train/logRow.ts';
import { assistTraining, type TrainingRun } from '../../../train/loop/session.ts';
import { train } from '../../../train/loop/train.ts';
import type { Reference } from '../../reference/reference.ts';
import { smallDataset, smallModel, smallSettings } from '../small/smallNetwork.ts';
import {
  digestOf,
  type FedRefresh,
  type FedStep,
  type FedTest,
  fedStep,
  watchedRun,
} from '../small/watchedRun.ts';
import type { DdpRecord } from './ddpRecord.ts';

/** One rank's part of the run, seen only by what its programs take and give. */
export interface ObservedRank {
  readonly fed: readonly FedStep[];
  /** Its own loss of each step. */
  readonly losses: readonly number[];
  /** Weights and buffers that the first step began with. */
  readonly start: TensorMap;
  /** Digests of all that each step began with, by name. */
  readonly states: readonly ReadonlyMap<string, string>[];
  /** Weights and buffers after the last step. */
  readonly end: TensorMap;
  readonly evaluated: readonly FedTest[];
  readonly refreshes: readonly (readonly FedRefresh[])[];
  /** The log, and the average: rank 0's. */
  readonly rows: readonly LogRow[];
  readonly average: TensorMap;
}

const gradientStep = 'gradient step';
const update = 'optimizer update';

function observe(backend: Backend, steps: number) {
  const { see, seen } = watchedRun(gradientStep, fedStep);
  const losses: number[] = [];
  const states: Map<string, string>[] = [];
  let [start, end]: TensorMap[] = [new Map(), new Map()];
  const watched: Backend = {
    ...backend,
    async compile(program, fetches) {
      const executable = await backend.compile(program, fetches);
      return {
        ...executable,
        async run(state, inputs, into) {
          see(program.name, inputs);
          if (program.name === gradientStep) {
            const all = await backend.download(state);
            if (states.length === 0) start = all;
            states.push(new Map([...all].map(([name, value]) => [name, digestOf(value)])));
          }
          const results = await executable.run(state, inputs, into);
          if (program.name === gradientStep) losses.push(toFloat64(results.get('loss')!)[0]);
          if (program.name === update && losses.length === steps) {
            end = await backend.download(state);
          }
          return results;
        },
      };
    },
  };
  return { watched, seen: () => ({ ...seen, losses, states, start, end }) };
}

/**
 * A rank's part of the recorded run, made by the loop that `train --distributed` makes; what rank 0 writes goes to a
 * directory that is gone afterwards.
 */
export async function runOfRank(
  comm: Communicator,
  backend: Backend,
  reference: Reference,
  { ranks, section }: DdpRecord,
): Promise<ObservedRank> {
  const name = modelName(reference.manifest.model);
  const settings = {
    ...smallSettings(section.settings, name),
    distributed: { ranks, reduce: 'exact', rankSeeds: 'offset' },
  } as const;
  const { watched, seen } = observe(backend, section.steps[0].length);
  const directory = mkdtempSync(join(tmpdir(), 'swa-align-'));
  const run: TrainingRun & { readonly comm: Communicator } = {
    settings,
    model: smallModel(section.settings, name, classCount(settings.dataset)),
    dataset: smallDataset(reference, section.settings),
    backend: watched,
    directory,
    // At the beginning and at the end alone.
    saveFreq: settings.epochs + 1,
    comm,
  };
  try {
    if (comm.rank > 0) {
      await assistTraining(run);
      return { ...seen(), rows: [], average: new Map() };
    }
    const rows: LogRow[] = [];
    for await (const event of train(run)) if (event.kind === 'epoch') rows.push(event.row);
    const { average = new Map() } = newestCheckpoint(directory).checkpoint;
    return { ...seen(), rows, average };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
