import type { DeviceState } from '../backends/backend.ts';
import { evaluationBatches } from '../data/loader.ts';
import { nextStep, resumeTrainingStream, type TrainingStep } from '../data/trainingStream.ts';
import { TrainingError } from '../errors.ts';
import { models } from '../nn/models/index.ts';
import { learningRate } from '../optim/schedule.ts';
import { evaluationStep } from '../program/evaluationStep.ts';
import type { Program } from '../program/program.ts';
import { type Tensor, type TensorMap, toFloat64 } from '../tensor/tensor.ts';
import { drawEvaluations } from './epochDecisions.ts';
import { firstNonFinite } from './finite.ts';
import { probed } from './finiteProbes.ts';
import { lastGood, type Session, stepProgram, stepsDone } from './session.ts';
import { scheduleOf } from './trainingSettings.ts';
import { feedsOf } from './trainingState.ts';

/** What a step showed of itself. */
export interface StepSigns {
  readonly loss: number;
  /** See `watched`. */
  readonly watched: number;
}

/** Throws TrainingError, naming step and layer, when the last step's loss or new state is no number. */
export async function checkStep(
  session: Session,
  { epoch }: TrainingStep,
  { loss, watched }: StepSigns,
): Promise<void> {
  if (Number.isFinite(loss) && Number.isFinite(watched)) return;
  const broken = firstNonFinite(await session.run.backend.download(session.state));
  if (Number.isFinite(loss) && broken === undefined) return;

  const step = stepsDone(session) - 1;
  const what = Number.isFinite(loss)
    ? 'a weight or running statistic became NaN or infinite'
    : `the loss became ${loss}`;
  const place = await causeInStep(session, step);
  // The same step from the same state gives the same bits, unless the machine is at fault.
  const unlike =
    broken === undefined ? 'the step made once more is finite' : `${broken}, yet not once more`;
  throw new TrainingError(
    `${what} at step ${step}, in epoch ${epoch + 1}: ${appears(place ?? unlike)}`,
    lastGood(session.saved),
  );
}

/** Throws TrainingError, naming the layer, when an evaluation's loss is no number. */
export async function checkEvaluation(
  session: Session,
  state: DeviceState,
  loss: number,
  when: string,
): Promise<void> {
  if (Number.isFinite(loss)) return;
  const place = (await causeInEvaluation(session, state)) ?? 'the loss';
  throw new TrainingError(
    `the loss became ${loss} ${when}: ${appears(place)}`,
    lastGood(session.saved),
  );
}

const appears = (place: string): string => `NaN or infinity first appears in ${place}`;

/** Reaches a step again from the snapshot, on the memory of the state that broke, and looks at all of it. */
async function causeInStep(session: Session, step: number): Promise<string | undefined> {
  const { run, programs, stream, snapshot } = session;
  const { backend, settings } = run;
  if (snapshot === undefined) return undefined;
  await backend.free(session.state);
  const state = await backend.upload(snapshot.values);
  const replayed = resumeTrainingStream(stream.settings, snapshot.position);
  try {
    while (true) {
      const at = stepsDone({ stream: replayed });
      const batch = nextStep(replayed);
      const feeds = feedsOf(batch, learningRate(batch.epoch, scheduleOf(settings)));
      const count = batch.order.length;
      if (at === step) return await firstPlace(session, stepProgram(run, count), state, feeds);
      await (await programs.step.get(count)).run(state, feeds);
      if (batch.last) drawEvaluations(batch.epoch, settings, replayed.generator);
    }
  } finally {
    await backend.free(state);
  }
}

async function causeInEvaluation(
  session: Session,
  state: DeviceState,
): Promise<string | undefined> {
  const { model, dataset, settings } = session.run;
  const { preparation } = models[settings.model];
  const batches = evaluationBatches(dataset.test, settings.batchSize, preparation);
  for (const { images, labels } of batches) {
    const feeds = new Map<string, Tensor>([
      ['images', images],
      ['labels', labels],
    ]);
    const found = await firstPlace(session, evaluationStep(model, images.shape), state, feeds);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Runs a program once; the first place, in the order of computation, that is not finite. */
async function firstPlace(
  { run: { backend } }: Session,
  program: Program,
  state: DeviceState,
  feeds: TensorMap,
): Promise<string | undefined> {
  const probes = probed(program);
  const executable = await backend.compile(probes, [...probes.fetches.keys()]);
  try {
    const found = await executable.run(state, feeds);
    return [...probes.fetches.keys()].find((place) =>
      Number.isNaN(toFloat64(found.get(place)!)[0]),
    );
  } finally {
    await executable.dispose();
  }
}
