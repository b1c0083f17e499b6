/** How sure a proposal is: by values alone; by values or their likeness, and the name; by shape and order only. */
export type Sureness = 'sure' | 'likely' | 'guess';

/** A tensor of ours and the probe that it seems to be. */
export interface Proposal {
  readonly ours: string;
  readonly probe: string;
  /** Order of its axes where that is not PyTorch's. */
  readonly layout?: string;
  readonly how: Sureness;
  /** Why, in plain words. */
  readonly because: string;
  /** The judge takes the values for the same. */
  readonly equal: boolean;
  /** Relative error to PyTorch's float64, on the elements that were looked at; NaN where a value is none. */
  readonly error: number;
}

/** What is proposed of a recording. */
export interface Proposals {
  /** In the order in which the probes are computed. */
  readonly proposals: readonly Proposal[];
  /** Probes that a port is to compute and for which nothing is proposed. */
  readonly unnamed: readonly string[];
  /** Tensors of ours that are no probe as far as is seen. */
  readonly unused: readonly string[];
}
