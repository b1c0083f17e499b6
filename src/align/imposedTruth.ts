import type { Backend, DeviceState } from '../backends/backend.ts';
import { decidedOn, decisionsOf, nudged, withDecisions } from '../program/decisions.ts';
import type { TensorMap } from '../tensor/tensor.ts';
import { type DecisionsApart, decisionsApart } from './flips.ts';
import type { RecordedBatch } from './recordedBatch.ts';

/** One iteration of the truth, decided as we decided. */
export interface ImposedIteration {
  readonly apart: DecisionsApart;
  /** The float64 truth as it is: from the second iteration on after imposed ones. */
  readonly plain: TensorMap;
  /** The same with our flipped decisions imposed. */
  readonly imposed: TensorMap;
}

export interface ImposedTruth {
  readonly iterations: readonly ImposedIteration[];
  /** Weights, momenta and buffers after the last. */
  readonly final: TensorMap;
}

/**
 * Repeats the iterations on our backend and on the oracle side by side, and wherever rounding took one of
 * our decisions the other way makes the oracle take it so too. What is left between the two is no longer a
 * matter of decisions: rounding, or a mistake.
 */
export async function imposedTruth(
  { backend, oracle }: { readonly backend: Backend; readonly oracle: Backend },
  { program, feeds }: RecordedBatch,
  start: TensorMap,
  { iterations: count, fetches, bar }: ImposedSettings,
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
  const state = await oracle.upload(start);
  const iterations: ImposedIteration[] = [];
  for (let k = 0; k < count; k++) {
    const fed = feeds(k);
    // Looked at on a copy, so that only the imposed step moves the weights on.
    const copy: DeviceState = await oracle.upload(await oracle.download(state));
    const plain = await executables.plain.run(copy, fed);
    await oracle.free(copy);
    const ours = await executables.ours.run(ourState, fed);
    const apart = decisionsApart(decisions, ours, plain, bar);
    const imposed = await executables.imposed.run(state, new Map([...fed, ...apart.nudges]));
    iterations.push({ apart, plain, imposed });
  }
  const final = await oracle.download(state);
  await Promise.all(Object.values(executables).map((executable) => executable.dispose()));
  await backend.free(ourState);
  await oracle.free(state);
  return { iterations, final };
}

export interface ImposedSettings {
  readonly iterations: number;
  readonly fetches: readonly string[];
  /** The upper bound on any relative error. */
  readonly bar: number;
}
