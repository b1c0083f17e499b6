import type { Backend, DeviceState } from '../../backends/backend.ts';
import type { TrainingStep, TrainingStream } from '../../data/trainingStream.ts';
import type { Network } from '../../nn/module.ts';
import { type OptimizerSettings, scalarsAt } from '../../optim/optimizer.ts';
import { type TrainingStepSettings, trainingStep } from '../../program/trainingStep.ts';
import { type ByBatchSize, byBatchSize } from '../byBatchSize.ts';
import { watched } from '../health/finiteProbes.ts';
import { feedsOf } from '../trainingState.ts';
import { stepsAhead } from './stepsAhead.ts';
import { type StepWindow, stepFetches, stepWindow } from './stepWindow.ts';

/** The training steps of a model, watched for numbers that are none, compiled as they are needed. */
export const stepPrograms = (
  backend: Backend,
  model: Network,
  settings: Omit<TrainingStepSettings, 'images'>,
): ByBatchSize =>
  byBatchSize(
    backend,
    (batch) => watched(trainingStep(model, { ...settings, images: [batch, ...model.image] })),
    stepFetches,
  );

/** What steps are made of. */
export interface Stepping {
  readonly stream: TrainingStream;
  readonly programs: ByBatchSize;
  /** Weights, what the optimizer keeps, and buffers: moved on by every step. */
  readonly state: DeviceState;
  readonly optimizer: OptimizerSettings;
}

/** Makes the steps of a stream one after the other. */
export interface Stepper {
  /** The steps that are made and not yet read. */
  readonly window: Pick<StepWindow, 'isEmpty' | 'isDue' | 'read'>;
  /**
   * Makes the stream's next step, number `step` of the run from 0 on, and says what it saw. The one after it is
   * drawn meanwhile, unless an epoch lies between.
   */
  make(step: number, lr: number): Promise<TrainingStep>;
}

export function stepper(
  backend: Backend,
  { stream, programs, state, optimizer }: Stepping,
): Stepper {
  const ahead = stepsAhead(stream);
  const window = stepWindow(backend);
  return {
    window,
    async make(step, lr) {
      const batch = ahead.take();
      const count = batch.order.length;
      const executable = await programs.get(count);
      const feeds = feedsOf(batch, scalarsAt(optimizer, lr, step + 1));
      const running = window.make(executable, state, feeds, {
        step,
        epoch: batch.epoch,
        lr,
        count,
      });
      if (!batch.last) ahead.prepare();
      await running;
      return batch;
    },
  };
}
