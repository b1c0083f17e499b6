import { type StepTensor, stepOrder } from '../../program/stepOrder.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { judgeRecorded } from '../recorded.ts';
import { recordedBatch } from '../recordedBatch.ts';
import type { StageContext, StageFindings } from '../stage.ts';
import { traceRecords } from '../tracing/evidence.ts';
import type { Verdict } from '../verdict.ts';
import { barFor } from '../yardstick.ts';
import { nothing } from './parts.ts';

/**
 * The first step on the kink-free batch, layer by layer, where the reference has recorded it for the trace: the
 * first row that fails is the layer that went wrong, not one that inherits from it.
 */
export async function layerByLayer(
  { backend, reference }: StageContext,
  start: TensorMap,
): Promise<StageFindings> {
  if (reference.manifest.stages.trace === undefined) return nothing;
  const { model } = reference;
  const records = traceRecords(reference);
  const { program, feeds } = recordedBatch(reference);
  // A reference may leave out what its program gives no name, but no gradient of a weight.
  const rows = stepOrder(program).filter(
    ({ kind, name }) => kind === 'weight gradient' || records.has(name),
  );
  const computed = rows.map(({ name }) => name);
  const executable = await backend.compile(program, computed);
  const state = await backend.upload(start);
  const found = await executable.run(state, feeds(0));
  await executable.dispose();
  await backend.free(state);

  const relativeL2 = barFor(model);
  const ours = new Map<string, Tensor>();
  const pytorch = new Map<string, Tensor>();
  const missing = (name: string, side: string): Verdict => ({
    name: `layers/${name}`,
    checks: [],
    problem: `missing on ${side} side`,
  });
  const judge = ({ name, layer }: StepTensor): Verdict => {
    const held = records.get(name);
    if (held === undefined) return { ...missing(name, "PyTorch's"), layer };
    const { record, scale } = held;
    const tolerance = { relativeL2, ...(scale === undefined ? {} : { scale }) };
    const key = `layers/${name}`;
    const judged = judgeRecorded(key, found.get(name)!, record, tolerance);
    ours.set(key, judged.ours);
    pytorch.set(key, judged.pytorch);
    return { ...judged.verdict, layer };
  };
  const unknown = [...records.keys()].filter((name) => !computed.includes(name));
  const verdicts = [...rows.map(judge), ...unknown.map((name) => missing(name, 'our'))];
  return { ...nothing, verdicts, ours, pytorch };
}
