import type { BackendOptions } from '../../backends/registry.ts';

/** What a rank leaves in the directory that it was given: that it has begun, and then what it found. */
export const rankFiles = {
  began: (rank: number): string => `${rank}.began`,
  facts: (rank: number): string => `${rank}.json`,
  recording: (rank: number): string => `${rank}.npz`,
};

export interface RankFacts {
  /** What carries the data: library, version. */
  readonly by: string;
  readonly problem?: string;
}

/** What a process of a rank is told, as JSON. */
export interface RankCall {
  /** The reference's directory. */
  readonly reference: string;
  /** Where what it finds goes. */
  readonly directory: string;
  readonly backend: string;
  readonly options: BackendOptions;
}
