import type { LogRow } from './logRow.ts';

/** Why a run came to its end: all epochs done, `--steps` reached, or asked to stop. */
export type Ending = 'finished' | 'steps' | 'interrupted';

/** What a training run tells while it goes on. Steps count from 0 over the whole run. */
export type TrainingEvent =
  | {
      readonly kind: 'started';
      /** The next step. */
      readonly step: number;
      /** One behind the last step that will be made. */
      readonly endStep: number;
      readonly stepsPerEpoch: number;
      /** The log so far, of a resumed run. */
      readonly rows: readonly LogRow[];
    }
  | {
      readonly kind: 'step';
      readonly step: number;
      /** Counted from 1, as in the log. */
      readonly epoch: number;
      readonly lr: number;
      /** Mean cross-entropy of the batch, before the update. */
      readonly loss: number;
    }
  | {
      readonly kind: 'epoch';
      readonly row: LogRow;
      /** Wall time of the epoch, as far as this process made it. */
      readonly seconds: number;
    }
  /** `paths` are whole and on the disk. */
  | {
      readonly kind: 'saved';
      readonly what: 'checkpoint' | 'weights';
      readonly paths: readonly string[];
    }
  | { readonly kind: 'ended'; readonly ending: Ending; readonly step: number };
