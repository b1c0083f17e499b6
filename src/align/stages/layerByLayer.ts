import type { Module } from '../../nn/module.ts';
import { gradientOf, outputGradientOf } from '../../program/program.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { judgeRecorded, recorded, recordedNames } from '../recorded.ts';
import { cancelledScale, recordedBatch } from '../recordedBatch.ts';
import type { StageContext, StageFindings } from '../stage.ts';
import type { Verdict } from '../verdict.ts';
import { barFor } from '../yardstick.ts';
import { nothing } from './parts.ts';

/** A tensor of the pass, and the layer whose work it is. */
interface Row {
  readonly name: string;
  readonly layer: string;
}

/**
 * Everything a step computes, in the order it is computed: outputs from the first layer to the last, then
 * back again, at each layer the gradients of its own parameters and then the one it hands on. The gradient to
 * a layer's output is the work of the layer behind it.
 */
function executionOrder(layers: readonly string[], model: Module): Row[] {
  const last = layers.length - 1;
  const parametersOf = (layer: string): string[] =>
    model.state
      .filter((s) => s.role === 'parameter')
      .map((s) => s.name)
      .filter((name) => name.slice(0, name.lastIndexOf('.')) === layer);
  const forward = layers.map((layer) => ({ name: layer, layer }));
  const backward = layers.toReversed().flatMap((layer, i): Row[] => {
    const behind = i === 0 ? 'loss' : layers[last - i + 1];
    return [
      { name: outputGradientOf(layer), layer: behind },
      ...parametersOf(layer).map((name) => ({ name: gradientOf(name), layer })),
    ];
  });
  return [...forward, ...backward];
}

/**
 * The first step on the kink-free batch, layer by layer, where the reference has recorded it for the trace: the
 * first row that fails is the layer that went wrong, not one that inherits from it.
 */
export async function layerByLayer(
  { backend, reference }: StageContext,
  start: TensorMap,
): Promise<StageFindings> {
  const { trace } = reference.manifest.stages;
  if (trace === undefined) return nothing;
  const { file, kinkfree } = reference.stage('backward');
  const { model } = reference;
  const arrays = reference.arrays(file);
  const byLayer = reference.arrays(trace.file);
  const { program, feeds } = recordedBatch(reference);
  const layers = recordedNames(byLayer, '').filter((name) => !name.endsWith(outputGradientOf('')));
  const rows = executionOrder(layers, model);
  const known = rows.map((row) => row.name).filter((name) => program.fetches.has(name));
  const executable = await backend.compile(program, known);
  const state = await backend.upload(start);
  const found = await executable.run(state, feeds(0));
  await executable.dispose();
  await backend.free(state);

  const relativeL2 = barFor(model);
  const ours = new Map<string, Tensor>();
  const pytorch = new Map<string, Tensor>();
  const verdicts = rows.map(({ name, layer }): Verdict => {
    const key = `layers/${name}`;
    const value = found.get(name);
    const record = recorded(byLayer, name) ?? recorded(arrays, `iter0/${name}`);
    if (value === undefined || record === undefined) {
      const side = value === undefined ? 'on our side' : "on PyTorch's side";
      return { name: key, layer, checks: [], problem: `missing ${side}` };
    }
    const scale = cancelledScale(kinkfree.cancelled, arrays, 'iter0/', name);
    const tolerance = { relativeL2, ...(scale === undefined ? {} : { scale }) };
    const judged = judgeRecorded(key, value, record, tolerance);
    ours.set(key, judged.ours);
    pytorch.set(key, judged.pytorch);
    return { ...judged.verdict, layer };
  });
  return { ...nothing, verdicts, ours, pytorch };
}
