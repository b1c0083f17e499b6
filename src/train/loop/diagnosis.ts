import type { DeviceState } from '../../backends/backend.ts';
import { releasing } from '../../backends/holding.ts';
import { evaluationBatches } from '../../data/loader.ts';
import { nextStep, resumeTrainingStream } from '../../data/trainingStream.ts';
import { TrainingError } from '../../errors.ts';
import { models } from '../../nn/models/index.ts';
import { scalarsAt } from '../../optim/optimizer.ts';
import { learningRate } from '../../optim/schedule.ts';
import { evaluationFeeds, evaluationStep } from '../../program/evaluationStep.ts';
import { drawEvaluations } from '../epochDecisions.ts';
import { firstNonFinite } from '../health/finite.ts';
import { firstPlace } from '../health/firstPlace.ts';
import { optimizerOf, scheduleOf } from '../settings/trainingSettings.ts';
import { feedsOf } from '../trainingState.ts';
import { lastGood, type Session, stepProgram, stepsDone } from './session.ts';
import { type StepSigns, type StepWindow, stepWindow } from './stepWindow.ts';

/**
 * What the steps of a window showed, all finite. Throws TrainingError, naming step and layer, at the first
 * step whose loss or new state is NaN or infinite.
 */
export async function checkedSteps(
  session: Session,
  window: Pick<StepWindow, 'read'>,
): Promise<readonly CheckedStep[]> {
  const steps = await window.read();
  if (steps.every(({ signs }) => isSound(signs))) return steps;
  // What a step left in the state is to be seen only until the next one.
  if (steps.length > 1) return retraced(session, steps);
  const [only] = steps;
  await checkStep(session, only);
  return steps;
}

type CheckedStep = Awaited<ReturnType<StepWindow['read']>>[number];

const isSound = ({ loss, watched }: StepSigns): boolean =>
  Number.isFinite(loss) && Number.isFinite(watched);

/** Makes the steps of a window once more from the snapshot, and looks at each before the next. */
async function retraced(
  session: Session,
  steps: readonly CheckedStep[],
): Promise<readonly CheckedStep[]> {
  const { run, state, programs } = session;
  await run.backend.free(state);
  for (const [name, value] of await run.backend.upload(session.snapshot!.values)) {
    state.set(name, value);
  }
  const found: CheckedStep[] = [];
  for (const { at, count, feeds } of stepsFromSnapshot(session)) {
    const alone = stepWindow(run.backend);
    const made = steps.find(({ step }) => step === at);
    await alone.make(
      await programs.step.get(count),
      state,
      feeds,
      made ?? { ...steps[0], step: at },
    );
    const [again] = await alone.read();
    if (made === undefined) continue;
    await checkStep(session, again);
    found.push(again);
    if (found.length === steps.length) break;
  }
  // An alarm for nothing: the next one is not to cost the way from the same snapshot again.
  session.snapshot = undefined;
  return found;
}

/** Throws TrainingError, naming step and layer, when the last step's loss or new state is NaN or infinite. */
export async function checkStep(
  session: Session,
  { step, epoch, signs }: Pick<CheckedStep, 'step' | 'epoch' | 'signs'>,
): Promise<void> {
  const { loss } = signs;
  if (isSound(signs)) return;
  const broken = firstNonFinite(await session.run.backend.download(session.state));
  if (Number.isFinite(loss) && broken === undefined) return;

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

/** Throws TrainingError, naming the layer, when an evaluation's loss is NaN or infinite. */
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

/** The steps from the session's snapshot on, as they were drawn the first time. */
function* stepsFromSnapshot({ stream, snapshot, run: { settings } }: Session) {
  if (snapshot === undefined) return;
  const replayed = resumeTrainingStream(stream.settings, snapshot.position);
  while (true) {
    const at = stepsDone({ stream: replayed });
    const batch = nextStep(replayed);
    const lr = learningRate(batch.epoch, scheduleOf(settings));
    const feeds = feedsOf(batch, scalarsAt(optimizerOf(settings), lr, at + 1));
    yield { at, count: batch.order.length, feeds };
    if (batch.last) drawEvaluations(batch.epoch, settings, replayed.generator);
  }
}

/** Reaches a step again from the snapshot, on the memory of the state that broke, and looks at all of it. */
async function causeInStep(session: Session, step: number): Promise<string | undefined> {
  const { run, programs, snapshot } = session;
  if (snapshot === undefined) return undefined;
  await run.backend.free(session.state);
  return releasing(async (on) => {
    const state = await on(run.backend).upload(snapshot.values);
    for (const { at, count, feeds } of stepsFromSnapshot(session)) {
      if (at === step) return firstPlace(run.backend, stepProgram(run, count), state, feeds);
      await (await programs.step.get(count)).run(state, feeds);
    }
    return undefined;
  });
}

async function causeInEvaluation(
  session: Session,
  state: DeviceState,
): Promise<string | undefined> {
  const { model, dataset, settings } = session.run;
  const { preparation } = models[settings.model];
  const batches = evaluationBatches(dataset.test, settings.batchSize, preparation);
  for (const { images, labels } of batches) {
    const program = evaluationStep(model, images.shape);
    const feeds = evaluationFeeds(images, labels);
    const found = await firstPlace(session.run.backend, program, state, feeds);
    if (found !== undefined) return found;
  }
  return undefined;
}
