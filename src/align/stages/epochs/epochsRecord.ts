import { type TensorMap, toFloat64 } from '../../../tensor/tensor.ts';
import type { LogRow } from '../../../train/logRow.ts';
import { arrayOf, type Reference } from '../../reference/reference.ts';
import type { EpochsSection } from './smallRun.ts';

/** What PyTorch recorded of a small run, as its recording and its expectations read it. */
export interface EpochsRecord {
  readonly section: EpochsSection;
  readonly arrays: TensorMap;
  readonly file: string;
}

export function recordOf(reference: Reference): EpochsRecord {
  const section = reference.stage('epochs');
  return { section, arrays: reference.arrays(section.file), file: section.file };
}

export const stepsAnEpoch = ({ settings }: EpochsSection): number =>
  Math.ceil(settings.images / settings.batch);

/** Images of a step: an epoch's last batch may be short. */
export const imagesIn = (section: EpochsSection, step: number): number => {
  const { images, batch } = section.settings;
  return Math.min(batch, images - (step % stepsAnEpoch(section)) * batch);
};

export const numbersOf = ({ arrays, file }: EpochsRecord, key: string): number[] => [
  ...toFloat64(arrayOf(arrays, key, file)),
];

/** How many models the average holds after so many epochs. */
export const averagedBy = (done: number, record: EpochsRecord): number =>
  done === 0 ? 0 : numbersOf(record, 'averaged')[done - 1];

/** The epochs that a run from step `from` on ends. */
export const epochsAfter = ({ section }: EpochsRecord, from: number): number[] => {
  const done = Math.floor(from / stepsAnEpoch(section));
  return Array.from({ length: section.settings.epochs - done }, (_, i) => done + i + 1);
};

/** The groups of tensors that an epoch leaves behind: its weights, and the average where a model joined. */
export const groupsAfter = (epoch: number, record: EpochsRecord) => {
  const averaged = averagedBy(epoch, record);
  const joined = averaged > averagedBy(epoch - 1, record);
  return [
    { prefix: `epoch ${epoch}/`, of: 'weights' },
    ...(joined ? [{ prefix: `average of ${averaged}/`, of: 'average' } as const] : []),
  ] as const;
};

/** The columns of the log that are compared. */
export const columns = [
  'trainLoss',
  'trainAccuracy',
  'testLoss',
  'testAccuracy',
  'swaTestLoss',
  'swaTestAccuracy',
] as const satisfies readonly (keyof LogRow)[];

export type Column = (typeof columns)[number];

/** Epochs in which the recorded log has a number in a column. */
export const toldIn = (column: Column, record: EpochsRecord): number[] =>
  numbersOf(record, `epochs/${column}`);

/** The parts of a batch of test images whose digests are recorded. */
export const testParts = ['labels', 'images'] as const;

/** The parts of what a training step is fed whose digests are recorded. */
export const fedParts = ({ steps }: EpochsSection): (keyof EpochsSection['steps'][number])[] => [
  'labels',
  'images',
  ...(['mask0', 'mask1'] as const).filter((mask) => mask in steps[0]),
];

/** What `eval` is asked: of the average in the batches of the run, of the trained weights in batches of its own. */
export const evals = [
  { kind: 'swa', batches: 'evaluation', loss: 'swaTestLoss', accuracy: 'swaTestAccuracy' },
  { kind: 'raw', batches: 'eval', loss: 'testLoss', accuracy: 'testAccuracy' },
] as const;

export const evalName = (kind: string, what: string): string => `eval of ${kind} weights: ${what}`;
