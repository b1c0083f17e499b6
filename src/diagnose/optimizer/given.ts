import type { Settings } from './rule.ts';

/** Steps from a fresh start whose every gradient both sides were given. All tensors as the results lie. */
export interface GivenSteps {
  readonly settings: Settings;
  readonly weight: Float64Array;
  readonly gradients: readonly Float64Array[];
  /** Names of what came out, by what it is: `weight`, `momentum`. */
  readonly results: Readonly<Record<string, string>>;
}
