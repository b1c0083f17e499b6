import type { Tensor, TensorMap } from '../../tensor/tensor.ts';

/** A batch as a program was fed it. */
export interface FedBatch {
  /** [n, 3, 32, 32] */
  readonly images: Tensor;
  /** [n]; none where a pass looks at images only. */
  readonly labels?: Tensor;
  /** In forward order: 1 kept, 0 dropped. */
  readonly masks: readonly Tensor[];
}

/** Passes over test images, and what is judged of them. */
export interface FedTests {
  /** Names of what was judged, without the part's prefix. */
  readonly images: string;
  readonly labels: string;
  readonly batches: readonly FedBatch[];
  /** Images in a batch of the reference, and of a pass. */
  readonly batch: number;
  readonly count: number;
}

/** What the programs of a part of a stage were fed, whole: for the diagnosis. */
export interface Fed {
  /** Before the names of what was judged. */
  readonly prefix: string;
  /** The run's step, from 0, that the first one is. */
  readonly from: number;
  readonly steps: readonly FedBatch[];
  /** The batches of each pass that refreshed batch norm. */
  readonly refreshes: readonly (readonly FedBatch[])[];
  readonly tests: readonly FedTests[];
}

/** What a program was fed. Nobody writes into it afterwards: it is held, not copied. */
export function fedBatch(inputs: TensorMap): FedBatch {
  const labels = inputs.get('labels');
  const masks = ['mask0', 'mask1'].flatMap((name) => inputs.get(name) ?? []);
  return { images: inputs.get('images')!, ...(labels && { labels }), masks };
}
