import type { TensorMap } from '../../../tensor/tensor.ts';
import type { Reference } from '../../reference/reference.ts';

/** What one rank found, by names that need no rank. */
export interface RankFindings {
  readonly recording: TensorMap;
  /** Why the run ended before its last step, where it did. */
  readonly problem?: string;
}

/** What all ranks found, by rank, and where they ran. */
export interface RanksRan {
  readonly findings: readonly RankFindings[];
  /** `in one process`; `in a process each, over Open MPI v4.1.4`. */
  readonly where: string;
}

/** Makes what so many ranks find on a reference, in processes of their own; or says why these cannot be had. */
export type RunRanks = (
  reference: Reference,
  size: number,
) => Promise<RanksRan | { readonly why: string }>;
