import { holding } from '../../../backends/holding.ts';
import { leavingState } from '../../../program/program.ts';
import { type StepTensor, stepOrder } from '../../../program/stepOrder.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Expectation } from '../../judge/expectation.ts';
import { recordedBatch } from '../../reference/recordedBatch.ts';
import type { Reference } from '../../reference/reference.ts';
import { startingWeights } from '../../reference/seedWeights.ts';
import { traceRecords } from '../../reference/traceRecords.ts';
import { barFor } from '../modelBar.ts';
import type { Part } from '../stage.ts';

const keyOf = (name: string): string => `layers/${name}`;

/** What the step computes and the reference holds: it may leave out an output or its gradient, but no weight's. */
function computed(reference: Reference): StepTensor[] {
  const records = traceRecords(reference);
  return stepOrder(recordedBatch(reference).program).filter(
    ({ kind, name }) => kind === 'weight gradient' || records.has(name),
  );
}

/**
 * The first step on the kink-free batch, layer by layer, where the reference has recorded it for the trace: the
 * first row that fails is the layer that went wrong, not one that inherits from it.
 */
export const layerByLayer: Part = {
  async run(context) {
    const { backend, reference } = context;
    const { program, feeds, start } = recordedBatch(reference);
    const names = computed(reference).map(({ name }) => name);
    const weights = start(startingWeights(context));
    const step = leavingState(program);
    const found = await holding(backend, step, names, weights, (held) => held.run(feeds(0)));
    return {
      recording: new Map(names.map((name): [string, Tensor] => [keyOf(name), found.get(name)!])),
    };
  },
  expect({ reference }) {
    const records = traceRecords(reference);
    const relativeL2 = barFor(reference.model);
    const rows = new Map(computed(reference).map(({ name, layer }) => [name, layer]));
    return [...new Set([...rows.keys(), ...records.keys()])].flatMap((name): Expectation[] => {
      const held = records.get(name);
      if (held === undefined) return [];
      const { record, scale } = held;
      const layer = rows.get(name);
      const tolerance = { relativeL2, ...(scale && { scale }) };
      const by = layer === undefined ? {} : { layer };
      return [{ name: keyOf(name), ...by, rule: { kind: 'float64', record, tolerance } }];
    });
  },
};
