import type { Backend, DeviceState, Executable } from '../../backends/backend.ts';
import { nextStep, type StreamSettings, type TrainingStream } from '../../data/trainingStream.ts';
import type { Module } from '../../nn/module.ts';
import { swaShares } from '../../optim/swaUpdate.ts';
import { hasBatchNorm } from '../../program/batchNormRefresh.ts';
import { averageOf, averageWeights } from '../../program/weightUpdates.ts';
import { scalars, type Tensor, zeros } from '../../tensor/tensor.ts';
import { forkGenerator, type TorchGenerator } from '../../torch/generator.ts';
import type { ByBatchSize } from '../byBatchSize.ts';
import { freshStatistics, refreshBatchNorm } from './refreshBatchNorm.ts';

/** The running average of the weights, on the device beside them. */
export interface SwaAverage {
  /** How many models it holds. */
  averaged: number;
  /** Weights and buffers by the model's own names. */
  readonly state: DeviceState;
  /**
   * What the pass for the running statistics draws from: a fork of the training generator, made when the
   * last model joined. Undefined once the statistics fit. A refresh so depends on the average alone, not
   * on when it is asked for, and a run that saves more often ends in the same bits.
   */
  refreshFrom: TorchGenerator | undefined;
}

const parametersOf = (model: Module) => model.state.filter(({ role }) => role === 'parameter');

/** The average's update, see `joinAverage`. */
export const compileAverage = (backend: Backend, model: Module): Promise<Executable> =>
  backend.compile(averageWeights(parametersOf(model).map(({ name, shape }) => [name, shape])), []);

/** An average of no models: zeros, which the first model replaces. */
export async function emptyAverage(backend: Backend, model: Module): Promise<SwaAverage> {
  const values = new Map<string, Tensor>(freshStatistics(model));
  for (const { name, shape } of parametersOf(model)) values.set(name, zeros('float32', shape));
  return { averaged: 0, state: await backend.upload(values), refreshFrom: undefined };
}

/** Takes the weights in `state` into the average; `generator` is the training stream's, left as it is. */
export async function joinAverage(
  average: SwaAverage,
  executable: Executable,
  model: Module,
  state: DeviceState,
  generator: TorchGenerator,
): Promise<void> {
  const both: DeviceState = new Map();
  const names = parametersOf(model).map(({ name }) => name);
  for (const name of names) {
    both.set(name, state.get(name)!).set(averageOf(name), average.state.get(name)!);
  }
  await executable.run(both, new Map(scalars({ ...swaShares(average.averaged) })));
  for (const name of names) average.state.set(name, both.get(averageOf(name))!);
  average.averaged++;
  average.refreshFrom = hasBatchNorm(model) ? forkGenerator(generator) : undefined;
}

/**
 * One more pass of the training loader as bn_update makes it, augmentation and dropout drawn where
 * PyTorch draws them, from a generator that nothing else draws from: training goes on as if nobody had
 * looked.
 */
function* refreshImages(settings: StreamSettings, generator: TorchGenerator) {
  const stream: TrainingStream = { settings, generator, epoch: 0, step: 0, pass: undefined };
  while (true) {
    const { images, last } = nextStep(stream);
    yield images;
    if (last) return;
  }
}

/**
 * Makes the average's running statistics fit its weights, unless they do. Throws the signal's reason when
 * that aborts, and begins anew when it is called again.
 */
export async function refreshAverage(
  average: SwaAverage,
  backend: Backend,
  model: Module,
  programs: ByBatchSize,
  settings: StreamSettings,
  signal?: AbortSignal,
): Promise<void> {
  if (average.refreshFrom === undefined) return;
  const images = refreshImages(settings, forkGenerator(average.refreshFrom));
  await refreshBatchNorm(backend, model, programs, average.state, images, signal);
  average.refreshFrom = undefined;
}
