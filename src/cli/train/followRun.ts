import { join } from 'node:path';
import { modelTitle } from '../../nn/models/index.ts';
import { epochLines } from '../../report/training/trainLog.ts';
import type { Ending, TrainingEvent } from '../../train/events.ts';
import type { LogRow } from '../../train/logRow.ts';
import type { TrainingRun } from '../../train/loop/session.ts';
import { train } from '../../train/loop/train.ts';
import { counted } from '../../words.ts';
import type { CliContext } from '../context.ts';
import { interruptedCode } from '../failure.ts';
import { live } from '../terminal/liveLine.ts';
import { showProgress } from '../terminal/progress.ts';
import { openStepLog, type StepLogFile } from './stepLogFile.ts';
import { openTrainLog, type TrainLogFile } from './trainLogFile.ts';

/** What a run has left when it came to its end. */
export interface FollowedRun {
  readonly run: TrainingRun;
  readonly ending: Ending;
  /** The newest checkpoint. */
  readonly saved: string;
  /** Of all epochs, also those before it was resumed. */
  readonly rows: readonly LogRow[];
  /** Files of final weights. */
  readonly weights: readonly string[];
}

/** Turns the run's events into the log, the CSV, and lines for the terminal. */
export async function followRun(
  run: TrainingRun,
  csv: string | undefined,
  context: Pick<CliContext, 'print' | 'columns' | 'fail'>,
): Promise<FollowedRun> {
  const progress = showProgress(live);
  let log: TrainLogFile | undefined;
  let steps: StepLogFile | undefined;
  let saved = run.resume?.path ?? '';
  const rows: LogRow[] = [];
  let weights: readonly string[] = [];
  let ending: Ending = 'interrupted';
  for await (const event of train(run)) {
    if (event.kind === 'started') context.print(headline(run));
    progress(event);
    switch (event.kind) {
      case 'started':
        rows.push(...event.rows);
        if (csv !== undefined) steps = openStepLog(csv, event.step);
        log = openTrainLog(join(run.directory, 'train_log.txt'), run.settings.swa, event.rows);
        break;
      case 'step':
        steps?.add(event.step, event.lr, event.loss);
        break;
      case 'epoch':
        rows.push(event.row);
        log?.add(event.row, event.seconds);
        for (const line of epochLines(
          event.row,
          run.settings.swa,
          event.seconds,
          context.columns,
        )) {
          context.print(line);
        }
        break;
      case 'saved':
        if (event.what === 'checkpoint') saved = event.paths[0];
        else weights = event.paths;
        break;
      case 'ended':
        ending = event.ending;
        for (const line of endOf(event, run, saved)) context.print(line);
        // Not what was asked for, so a script that goes on after success must not go on.
        if (event.ending === 'interrupted') context.fail(interruptedCode(run.signal?.reason));
    }
  }
  return { run, rows, weights, ending, saved };
}

const headline = ({ settings, backend, directory, resume }: TrainingRun): string => {
  const method = settings.swa ? 'SWA' : 'SGD';
  const from = resume === undefined ? '' : `, from ${resume.path}`;
  return `${modelTitle(settings)} on ${settings.dataset} by ${method}: ${backend.description}; ${directory}${from}`;
};

function endOf(
  { ending, step }: Extract<TrainingEvent, { kind: 'ended' }>,
  run: TrainingRun,
  saved: string,
): string[] {
  if (ending === 'finished') return [`finished after ${counted(step, 'step')}; ${run.directory}`];
  return [`stopped after ${counted(step, 'step')}; checkpoint in ${saved}`];
}
