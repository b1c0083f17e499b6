import type { Backend, DeviceState } from '../../backends/backend.ts';
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
export async function imposedTruth(
  { backend, oracle }: { readonly backend: Backend; readonly oracle: Backend },
  { program, feeds }: RecordedBatch,
  start: TensorMap,
  { iterations: count, fetches, bar, progress = () => {} }: ImposedSettings,
): Promise<ImposedTruth> {
  const decisions = decisionsOf(program);
  const watched = withDecisions(program);
  const decided = decisions.map(({ layer }) => decidedOn(layer));
  const wanted = [...fetches, ...decided];
  const executables = {
    ours: await backend.compile(watched, decided),
    plain: await oracle.compile(watched, wanted),
    imposed: await oracle.compile(nudged(program), fetches),
  };
  const ourState = await backend.upload(start);
  let state = await oracle.upload(start);
  const iterations: ImposedIteration[] = [];
  let beyond: readonly Flip[] = [];
  for (let k = 0; k < count; k++) {
    progress(`float64 oracle: decisions of iteration ${k + 1} of ${count}`);
    const fed = feeds(k);
    // Looked at on a copy: where something flipped, only the imposed step moves the weights on.
    const copy: DeviceState = await oracle.upload(await oracle.download(state));
    const plain = await executables.plain.run(copy, fed);
    const ours = await executables.ours.run(ourState, fed);
    const apart = decisionsApart(decisions, ours, plain, bar);
    if (apart.flips.length + apart.beyond.length === 0) {
      iterations.push({ apart, plain, imposed: plain });
      await oracle.free(state);
      state = copy;
      continue;
    }
    await oracle.free(copy);
    beyond = apart.beyond;
    if (beyond.length > 0) break;
    progress(`float64 oracle: iteration ${k + 1} of ${count} with our decisions imposed`);
    const imposed = await executables.imposed.run(state, new Map([...fed, ...apart.nudges]));
    iterations.push({ apart, plain, imposed });
  }
  const final = await oracle.download(state);
  await Promise.all(Object.values(executables).map((executable) => executable.dispose()));
  await backend.free(ourState);
  await oracle.free(state);
  return beyond.length > 0 ? { beyond } : { iterations, final };
}
