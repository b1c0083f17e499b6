import type { Backend, Executable } from '../../backends/backend.ts';
import { releasing } from '../../backends/holding.ts';
import { decidedOn, decisionsOf, nudged, withDecisions } from '../../program/decisions.ts';
import { productsOf } from '../../program/products.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import type { Flip } from '../judge/verdict.ts';
import type { RecordedBatch } from '../reference/recordedBatch.ts';
import { type DecisionsApart, decisionsApart } from './flips.ts';

/** One iteration of the truth, decided as we decided. */
export interface ImposedIteration {
  readonly apart: DecisionsApart;
  /** The float64 truth as it is: from the second iteration on after imposed ones. */
  readonly plain: TensorMap;
  /** The same with our flipped decisions imposed. */
  readonly imposed: TensorMap;
}

/** The truth of all iterations, or the decisions beyond rounding at which it was given up: they excuse nothing. */
export type ImposedTruth =
  | { readonly beyond: readonly Flip[] }
  | {
      readonly iterations: readonly ImposedIteration[];
      /** Weights, momenta and buffers after the last. */
      readonly final: TensorMap;
    };

export interface ImposedSettings {
  readonly iterations: number;
  readonly fetches: readonly string[];
  /** The upper bound on any relative error. */
  readonly bar: number;
  /** Told what begins. */
  readonly progress?: (text: string) => void;
}

/** About how many products the oracle adds up for `imposedTruth`, at most: every iteration twice. */
export const imposedProducts = (
  { program }: RecordedBatch,
  { iterations, fetches }: ImposedSettings,
): number => 2 * iterations * productsOf(program, fetches);

/**
 * Repeats the iterations on our backend and on the oracle side by side, and wherever rounding took one of
 * our decisions the other way makes the oracle take it so too. What is left between the two is no longer a
 * matter of decisions: rounding, or a mistake.
 */
export const imposedTruth = (
  { backend, oracle }: { readonly backend: Backend; readonly oracle: Backend },
  { program, feeds }: RecordedBatch,
  start: TensorMap,
  { iterations: count, fetches, bar, progress = () => {} }: ImposedSettings,
): Promise<ImposedTruth> =>
  releasing(async (on) => {
    const decisions = decisionsOf(program);
    const watched = withDecisions(program);
    const decided = decisions.map(({ layer }) => decidedOn(layer));
    const wanted = [...fetches, ...decided];
    const ours = await on(backend).compile(watched, decided);
    const plain = await on(oracle).compile(watched, wanted);
    const imposed = await on(oracle).compile(nudged(program), fetches);
    const ourState = await on(backend).upload(start);
    /** What the oracle fetches of a run from `before`, and what that leaves. */
    const step = (executable: Executable, before: TensorMap, feeds: TensorMap) =>
      releasing(async (onOracle) => {
        const state = await onOracle(oracle).upload(before);
        const results = await executable.run(state, feeds);
        return { results, after: await oracle.download(state) };
      });
    let final = start;
    const iterations: ImposedIteration[] = [];
    for (let k = 0; k < count; k++) {
      progress(`float64 oracle: decisions of iteration ${k + 1} of ${count}`);
      const fed = feeds(k);
      const truth = await step(plain, final, fed);
      const apart = decisionsApart(decisions, await ours.run(ourState, fed), truth.results, bar);
      if (apart.beyond.length > 0) return { beyond: apart.beyond };
      // Where something flipped, only the imposed step moves the weights on.
      let moved = truth;
      if (apart.flips.length > 0) {
        progress(`float64 oracle: iteration ${k + 1} of ${count} with our decisions imposed`);
        moved = await step(imposed, final, new Map([...fed, ...apart.nudges]));
      }
      iterations.push({ apart, plain: truth.results, imposed: moved.results });
      final = moved.after;
    }
    return { iterations, final };
  });
