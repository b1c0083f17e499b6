import type { Tensor } from '../../tensor/tensor.ts';
import type { Verdict } from './verdict.ts';

/** What a rule says of a tensor; the name is put before it. */
export type Finding = Omit<Verdict, 'name'>;

export interface Judgement {
  readonly finding: Finding;
  /** Both sides as they were compared: samples of large tensors. */
  readonly ours: Tensor;
  readonly pytorch: Tensor;
}
