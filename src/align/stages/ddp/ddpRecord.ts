import { gradientOf } from '../../../program/program.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { type TensorMap, toFloat32 } from '../../../tensor/tensor.ts';
import type { Manifest } from '../../reference/manifest.ts';
import { arrayOf, type Reference } from '../../reference/reference.ts';

type DdpSection = NonNullable<Manifest['stages']['ddp']>;
export type RankSection = DdpSection['ranks'][string];

/** What PyTorch recorded of so many ranks. */
export interface DdpRecord {
  readonly ranks: number;
  readonly section: RankSection;
  readonly settings: DdpSection['settings'];
  readonly arrays: TensorMap;
  readonly file: string;
}

/** The numbers of ranks that were recorded. */
export const rankCounts = (reference: Reference): number[] =>
  Object.keys(reference.stage('ddp').ranks)
    .map(Number)
    .sort((a, b) => a - b);

export function recordOf(reference: Reference, ranks: number): DdpRecord {
  const { file, settings, ranks: sections } = reference.stage('ddp');
  return {
    ranks,
    section: sections[String(ranks)],
    settings,
    arrays: reference.arrays(file),
    file,
  };
}

/** How its arrays and verdicts begin. */
export const prefixOf = ({ ranks }: Pick<DdpRecord, 'ranks'>): string => `${ranks} ranks`;

/** Steps of the run. */
export const stepCount = ({ section }: DdpRecord): number => section.steps[0].length;

export const stepsAnEpoch = (record: DdpRecord): number =>
  stepCount(record) / record.section.settings.epochs;

/** Weights and buffers of the run's network, in the order in which their digests are compared. */
export const stateNames = ({ section }: DdpRecord): string[] => Object.keys(section.weights.sha256);

/** Samples of a rank in an epoch, and those of its step. */
export function imagesIn(record: DdpRecord, step: number): number {
  const { images, batch } = record.section.settings;
  const own = Math.ceil(images / record.ranks);
  return Math.min(batch, own - (step % stepsAnEpoch(record)) * batch);
}

/** A gradient of the whole network, and where its numbers lie in the rows of the record: whole, or some of them. */
export interface HeldGradient {
  readonly name: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly count: number;
}

/** A gradient's mean of a step, from 1 on. */
export const meanName = (step: number, gradient: string): string => `step ${step}/${gradient}`;

/** The gradients whose numbers lie in a row of the record, one behind the other. */
export function heldGradients({ model }: Reference, { settings }: DdpRecord): HeldGradient[] {
  let from = 0;
  return model.state
    .filter(({ role }) => role === 'parameter')
    .map(({ name, shape }) => {
      const size = sizeOf(shape);
      const count = size <= settings.whole ? size : settings.sample;
      from += count;
      return { name: gradientOf(name), shape, from: from - count, count };
    });
}

/** What each rank's gradients of a step, from 1 on, were, and what their mean is: rows of numbers. */
export function recordedMeans(record: DdpRecord, step: number) {
  const { arrays, file, ranks } = record;
  const key = `${prefixOf(record)}/step ${step}`;
  const own = toFloat32(arrayOf(arrays, `${key}/own`, file));
  const width = own.length / ranks;
  return {
    own: Array.from({ length: ranks }, (_, r) => own.subarray(r * width, (r + 1) * width)),
    mean: toFloat32(arrayOf(arrays, `${key}/mean`, file)),
  };
}
