/** What the programs of a small run were fed, seen only by what goes into them. */
import { sha256Hex } from '../../../io/sha256/sha256.ts';
import { bytesOf, type Tensor, type TensorMap, toFloat64 } from '../../../tensor/tensor.ts';
import type { Manifest } from '../../reference/manifest.ts';
import { type FedBatch, fedBatch } from '../fed.ts';

type EpochsSection = NonNullable<Manifest['stages']['epochs']>;
type StepDigests = EpochsSection['steps'][number];
type BatchDigests = EpochsSection['evaluation'][number];

/** What a program of one step was really fed. */
export interface FedStep {
  /** How many images. */
  readonly images: number;
  readonly digests: StepDigests;
  readonly batch: FedBatch;
}

/** A batch of test images. */
export interface FedTest extends BatchDigests {
  readonly batch: FedBatch;
}

/** A batch that refreshed batch norm. */
export interface FedRefresh {
  /** Of its images. */
  readonly digest: string;
  readonly batch: FedBatch;
}

export const digestOf = (t: Tensor): string => sha256Hex(bytesOf(t));

/** A mask is fed as floats of 0 and 1, and recorded as bytes. */
const maskDigest = (t: Tensor): string => sha256Hex(Uint8Array.from(toFloat64(t)));

const batchDigests = (inputs: TensorMap): BatchDigests => ({
  images: digestOf(inputs.get('images')!),
  labels: digestOf(inputs.get('labels')!),
});

export function fedStep(inputs: TensorMap): FedStep {
  const masks = (['mask0', 'mask1'] as const).flatMap((name) => {
    const mask = inputs.get(name);
    return mask === undefined ? [] : [[name, maskDigest(mask)]];
  });
  return {
    images: inputs.get('images')!.shape[0],
    digests: { ...batchDigests(inputs), ...Object.fromEntries(masks) },
    batch: fedBatch(inputs),
  };
}

/** What programs were fed, in turn: `see` is told of each; the program `name` makes a step. */
export function watchedRun<Step extends FedStep>(name: string, fed: (inputs: TensorMap) => Step) {
  const seen = {
    fed: [] as Step[],
    evaluated: [] as FedTest[],
    refreshes: [] as FedRefresh[][],
  };
  let last = '';
  return {
    seen,
    see: (program: string, inputs: TensorMap): void => {
      if (program === name) seen.fed.push(fed(inputs));
      if (program === 'evaluation') {
        seen.evaluated.push({ ...batchDigests(inputs), batch: fedBatch(inputs) });
      }
      if (program === 'batch norm refresh') {
        if (last !== program) seen.refreshes.push([]);
        seen.refreshes[seen.refreshes.length - 1].push({
          digest: digestOf(inputs.get('images')!),
          batch: fedBatch(inputs),
        });
      }
      last = program;
    },
  };
}
