import { ofWholeSet, samplesOfAll, stepsPerEpoch } from '../../data/trainingStream.ts';
import { models } from '../../nn/models/index.ts';
import { learningRate } from '../../optim/schedule.ts';
import { evaluationPassDraws } from '../../torch/dataLoader.ts';
import { joinAverage, refreshAverage } from '../averaging/swaAverage.ts';
import type { Closing } from '../checkpoint/checkpoint.ts';
import { currentSnapshot } from '../checkpoint/snapshot.ts';
import { isAverageEvaluated, isEvaluated, joinsAverage } from '../epochDecisions.ts';
import { evaluate } from '../evaluation/evaluate.ts';
import type { Ending, TrainingEvent } from '../events.ts';
import { type LogRow, noSums } from '../logRow.ts';
import { optimizerOf, scheduleOf, type TrainingSettings } from '../settings/trainingSettings.ts';
import { heed, unlessStopped } from '../stopping.ts';
import { checkEvaluation, checkedSteps } from './diagnosis.ts';
import { saveCheckpoint, saveWeights } from './saving.ts';
import { openSession, type Session, stepsDone, type TrainingRun } from './session.ts';
import { stepper } from './stepper.ts';
import type { StepWindow } from './stepWindow.ts';

/**
 * Stochastic Weight Averaging (Izmailov et al. 2018, algorithm 1) in the order of the authors' train.py:
 * SGD with a falling, then constant learning rate; from epoch `swaStart` on the weights at the end of an
 * epoch join a running average, whose batch-norm statistics are drawn anew before anyone looks at it.
 *
 * Yields what happens. A consumer that stops early leaves the last checkpoint as it is. Throws UsageError
 * or InputError before anything is written, and TrainingError, naming step, layer and the last good
 * checkpoint, when a loss or a weight becomes NaN or infinite.
 */
export async function* train(run: TrainingRun): AsyncGenerator<TrainingEvent, void, undefined> {
  const { settings, saveFreq, signal } = run;
  const session = await openSession(run);
  const { stream, rows } = session;
  try {
    yield { kind: 'started', ...outline(session), rows: [...rows] };
    if (session.saved === undefined) yield await saveCheckpoint(session);

    while (stream.epoch < settings.epochs || session.closing !== undefined) {
      const began = performance.now();
      // A run that was stopped at an epoch's end goes on there.
      session.closing ??= yield* trainEpoch(session);
      const { closing } = session;
      if (closing === undefined) break;

      const row = await unlessStopped(signal, () => closeEpoch(session, closing));
      if (row === undefined) break;
      rows.push(row);
      yield { kind: 'epoch', row, seconds: (performance.now() - began) / 1000 };
      const unsettled = isSaved(session) && session.saved?.settled === false;
      if (stream.epoch % saveFreq === 0 || isSaveStep(session) || unsettled) {
        yield await saveCheckpoint(session);
      }
    }

    if (!isSaved(session) || session.saved?.settled === false) yield await saveCheckpoint(session);
    const ending = stopReason(session) ?? (session.saved?.settled ? 'finished' : 'interrupted');
    if (ending !== 'interrupted') yield await saveWeights(session);
    await session.team?.end();
    yield { kind: 'ended', ending, step: stepsDone(session) };
  } finally {
    await session.release();
  }
}

/** The rest of an epoch, step by step; then what is to be done at its end. Undefined when the run is to stop first. */
async function* trainEpoch(
  session: Session,
): AsyncGenerator<TrainingEvent, Closing | undefined, undefined> {
  const { stream, state, programs, run, team } = session;
  const lr = learningRate(stream.epoch, scheduleOf(run.settings));
  const optimizer = optimizerOf(run.settings);
  const { window, make } =
    team?.stepper ?? stepper(run.backend, { stream, programs: programs.step, state, optimizer });
  while (true) {
    await heed(run.claim);
    if (stopReason(session) !== undefined) {
      yield* settle(session, window);
      return undefined;
    }
    // A team looks at every step before its update.
    if (team === undefined && window.isEmpty) {
      session.snapshot = await currentSnapshot(session.snapshot, run.backend, state, stream);
    }
    const { last } = await make(stepsDone(session), lr);
    const saves = !last && isSaveStep(session);
    if (last || saves || window.isDue) yield* settle(session, window);
    if (last) return { joined: false };
    if (saves) yield await saveCheckpoint(session);
  }
}

/** Reads, checks and tells what the steps of a window gave. */
async function* settle(
  session: Session,
  window: Pick<StepWindow, 'read'>,
): AsyncGenerator<TrainingEvent, void, undefined> {
  for (const { step, epoch, lr, count, signs } of await checkedSteps(session, window)) {
    const { loss, correct } = signs;
    const { sums } = session;
    session.sums = { loss: sums.loss + loss * count, correct: sums.correct + correct };
    yield { kind: 'step', step, epoch: epoch + 1, lr, loss };
  }
}

/**
 * What the authors do after an epoch's last step: evaluate, average, evaluate the average. Notes in `closing`
 * what is done, and draws from the generator when it is, so that the rest can follow after a stop. Throws the
 * signal's reason when that aborts.
 */
async function closeEpoch(session: Session, closing: Closing): Promise<LogRow> {
  const { run, stream, state, average, programs } = session;
  const { settings, model, backend, dataset, signal } = run;
  const epoch = stream.epoch - 1;
  const images = samplesOfAll(stream.settings);
  const trained = {
    epoch: epoch + 1,
    lr: learningRate(epoch, scheduleOf(settings)),
    trainLoss: session.sums.loss / images,
    trainAccuracy: (session.sums.correct / images) * 100,
  };
  const test = async (of: typeof state) => {
    const found = await evaluate(
      programs.evaluation,
      of,
      dataset.test,
      settings.batchSize,
      models[settings.model].preparation,
      signal,
    );
    await checkEvaluation(session, of, found.loss, `on the test set after epoch ${epoch + 1}`);
    evaluationPassDraws(stream.generator);
    return { loss: found.loss, accuracy: found.accuracy };
  };
  if (isEvaluated(epoch, settings)) closing.tested ??= await test(state);
  const joins = !closing.joined && joinsAverage(epoch, settings);
  if (average !== undefined && programs.average !== undefined && joins) {
    await joinAverage(average, programs.average, model, state, stream.generator);
  }
  closing.joined = true;
  const averageTested = async (of: NonNullable<typeof average>) => {
    const whole = ofWholeSet(stream.settings);
    await refreshAverage(of, backend, model, programs.refresh, whole, signal);
    return test(of.state);
  };
  const swaTested =
    average !== undefined && isAverageEvaluated(epoch, settings)
      ? await averageTested(average)
      : undefined;
  const { tested } = closing;
  session.sums = noSums;
  session.closing = undefined;
  return {
    ...trained,
    ...(tested && { testLoss: tested.loss, testAccuracy: tested.accuracy * 100 }),
    ...(swaTested && { swaTestLoss: swaTested.loss, swaTestAccuracy: swaTested.accuracy * 100 }),
  };
}

const totalSteps = ({ epochs }: TrainingSettings, { stream }: Session): number =>
  epochs * stepsPerEpoch(stream.settings);

/** Why the run is to stop now, short of its last epoch. */
function stopReason(session: Session): Exclude<Ending, 'finished'> | undefined {
  const { signal, steps, settings } = session.run;
  const done = stepsDone(session);
  if (done >= totalSteps(settings, session)) return undefined;
  if (signal?.aborted === true) return 'interrupted';
  return steps !== undefined && done >= steps ? 'steps' : undefined;
}

const isSaved = (session: Session): boolean => session.saved?.step === stepsDone(session);

const isSaveStep = (session: Session): boolean =>
  session.run.saveEverySteps !== undefined && stepsDone(session) % session.run.saveEverySteps === 0;

function outline(session: Session) {
  const { settings, steps } = session.run;
  const all = totalSteps(settings, session);
  return {
    step: stepsDone(session),
    endStep: Math.min(all, steps ?? all),
    stepsPerEpoch: stepsPerEpoch(session.stream.settings),
  };
}
