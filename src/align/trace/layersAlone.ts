import type { Backend, DeviceState } from '../../backends/backend.ts';
import { releasing } from '../../backends/holding.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../../tensor/tensor.ts';
import type { PlannedRow } from './plan.ts';

/** What both backends are given: the step's own feeds, and the state it starts from. */
export interface StepGiven {
  readonly weights: TensorMap;
  readonly feeds: TensorMap;
}

/** The inputs of a row's layer, rounded to float32: what any float32 program would be handed. */
function inputsOf({ alone }: PlannedRow, known: TensorMap, feeds: TensorMap): TensorMap {
  return new Map(
    [...alone.inputs.keys()].map((name): [string, Tensor] => {
      const fed = feeds.get(name);
      if (fed !== undefined) return [name, fed];
      const value = known.get(name)!;
      return [name, tensor('float32', value.shape, toFloat32(value))];
    }),
  );
}

const runAlone = (
  backend: Backend,
  state: DeviceState,
  { alone, name }: PlannedRow,
  inputs: TensorMap,
): Promise<Tensor> =>
  releasing(async (on) => {
    const executable = await on(backend).compile(alone, [name]);
    return (await executable.run(state, inputs)).get(name)!;
  });

/** What a layer, or its adjoint, gives by itself on the reference's inputs, and the oracle on the same. */
export interface LayerAlone {
  readonly ours: Tensor;
  readonly truth: Tensor;
}

/**
 * Every layer, and every layer's adjoint, by itself: what it adds to the error of its inputs shows. Rows whose inputs are not all `known` are left out.
 */
export const layersAlone = (
  { backend, oracle }: { readonly backend: Backend; readonly oracle: Backend },
  rows: readonly PlannedRow[],
  known: TensorMap,
  given: StepGiven,
): Promise<ReadonlyMap<string, LayerAlone>> =>
  releasing(async (on) => {
    const state = await on(backend).upload(given.weights);
    const oracleState = await on(oracle).upload(given.weights);
    const found = new Map<string, LayerAlone>();
    for (const row of rows) {
      if (!row.reads.every((name) => known.has(name))) continue;
      const inputs = inputsOf(row, known, given.feeds);
      const [ours, truth] = await Promise.all([
        runAlone(backend, state, row, inputs),
        runAlone(oracle, oracleState, row, inputs),
      ]);
      found.set(row.name, { ours, truth });
    }
    return found;
  });
