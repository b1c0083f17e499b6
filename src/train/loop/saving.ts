import { join } from 'node:path';
import { backendLabel } from '../../backends/backend.ts';
import { ofWholeSet, stepsPerEpoch, streamPosition } from '../../data/trainingStream.ts';
import { TrainingError } from '../../errors.ts';
import { npzChunks } from '../../io/numpy/npz.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { writeSafetensorsTo } from '../../io/safetensors/safetensorsFile.ts';
import { slotsOf } from '../../optim/optimizer.ts';
import { slotOf } from '../../program/program.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { generatorState } from '../../torch/generator.ts';
import { refreshAverage } from '../averaging/swaAverage.ts';
import { type Checkpoint, isSettled, writeCheckpoint } from '../checkpoint/checkpoint.ts';
import { checkpointFileName, pruneCheckpoints } from '../checkpoint/checkpointFiles.ts';
import type { TrainingEvent } from '../events.ts';
import { firstNonFinite } from '../health/finite.ts';
import { optimizerOf } from '../settings/trainingSettings.ts';
import { asFloat32, stateDict } from '../stateDict.ts';
import { unlessStopped } from '../stopping.ts';
import { lastGood, type Session, stepsDone } from './session.ts';

/** Throws TrainingError when a value is NaN or infinite: such a state must not replace a good one. */
function checkFinite(whose: string, tensors: TensorMap, { stream, saved }: Session): void {
  const name = firstNonFinite(tensors);
  if (name === undefined) return;
  throw new TrainingError(
    `${name} of ${whose} holds NaN or infinity after ${stepsDone({ stream })} steps`,
    lastGood(saved),
  );
}

/**
 * The SWA model as PyTorch would hold it; undefined while it is empty. Its running statistics are fresh,
 * unless the run is asked to stop: that is not to wait for a pass over the training set.
 */
async function savedAverage({ run, stream, average, programs }: Session) {
  if (average === undefined || average.averaged === 0) return undefined;
  const { backend, model, signal } = run;
  const whole = ofWholeSet(stream.settings);
  await unlessStopped(signal, () =>
    refreshAverage(average, backend, model, programs.refresh, whole, signal),
  );
  // PyTorch counts the batches that its statistics come from: one pass.
  const batches = stepsPerEpoch(whole);
  return stateDict(model, await backend.download(average.state), batches);
}

/** Writes a checkpoint of the run as it stands, and removes those that are no longer needed. */
export async function saveCheckpoint(session: Session): Promise<TrainingEvent> {
  const { run, stream, state, data, sums, rows } = session;
  const ranks = await session.team?.positions();
  const values = await run.backend.download(state);
  const average = await savedAverage(session);
  const refreshFrom = session.average?.refreshFrom;
  checkFinite('the model', values, session);
  if (average !== undefined) checkFinite('the average', average, session);
  const step = stepsDone(session);
  const path = join(run.directory, checkpointFileName(stream));
  const slots = slotsOf(optimizerOf(run.settings));
  const momenta = run.model.state
    .filter(({ role }) => role === 'parameter')
    .flatMap(({ name }) => slots.map((slot) => slotOf(name, slot)))
    .map((name): [string, Tensor] => [name, values.get(name)!]);
  const checkpoint: Checkpoint = {
    settings: run.settings,
    backend: backendLabel(run.backend),
    data,
    position: streamPosition(stream),
    ...(ranks && { ranks }),
    sums,
    rows,
    weights: stateDict(run.model, values, step),
    momenta: new Map(momenta),
    averaged: session.average?.averaged ?? 0,
    average,
    ...(refreshFrom && { refreshFrom: generatorState(refreshFrom) }),
    ...(session.closing && { closing: session.closing }),
  };
  run.claim?.throwIfAborted();
  writeCheckpoint(path, checkpoint);
  session.saved = { path, step, settled: isSettled(checkpoint) };
  pruneCheckpoints(run.directory, run.keep, stream);
  return { kind: 'saved', what: 'checkpoint', paths: [path] };
}

/**
 * Writes the trained models as PyTorch loads them: `vgg16.safetensors` and, once there is an average,
 * `vgg16-swa.safetensors` and `.npz`.
 */
export async function saveWeights(session: Session): Promise<TrainingEvent> {
  const { run, state } = session;
  const at = (ending: string): string => join(run.directory, `${run.settings.model}${ending}`);
  const values = await run.backend.download(state);
  const average = await savedAverage(session);
  run.claim?.throwIfAborted();
  const paths = [at('.safetensors')];
  writeSafetensorsTo(paths[0], asFloat32(stateDict(run.model, values, stepsDone(session))));
  if (average !== undefined) {
    const averaged = asFloat32(average);
    paths.push(at('-swa.safetensors'), at('-swa.npz'));
    writeSafetensorsTo(paths[1], averaged);
    writeFileAtomic(paths[2], npzChunks(averaged));
  }
  return { kind: 'saved', what: 'weights', paths };
}
