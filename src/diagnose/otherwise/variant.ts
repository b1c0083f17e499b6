import type { Tensor } from '../../tensor/tensor.ts';

/** What a tensor would be were one thing done otherwise: a schedule one epoch late, another momentum. */
export interface Variant {
  /** The same mistake in another tensor has the same key. */
  readonly key: string;
  /** For a person, without the tensor's name. */
  readonly says: string;
  /** All of it, or the elements that the reference holds. */
  readonly value: Tensor;
  /** The setting of which this is one of several values: only the nearest of them is told. */
  readonly setting?: string;
  /** 1 where a number was taken from ours to make it fit. */
  readonly freedom?: 1;
}
