import type { Module } from '../../nn/module.ts';
import { hasBatchNorm } from '../../program/batchNormRefresh.ts';
import { gradientOf } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { feedsOf, initialTrainingState } from '../../train/trainingState.ts';
import { judgeRecorded, recorded, recordedNames } from '../recorded.ts';
import type { StageContext, StageFindings } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import type { Verdict } from '../verdict.ts';
import { batchOf, masksAt, weightTolerance } from './kinkFreeBatch.ts';
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
      { name: gradientOf(layer), layer: behind },
      ...parametersOf(layer).map((name) => ({ name: gradientOf(name), layer })),
    ];
  });
  return [...forward, ...backward];
}

/**
 * The first step on the kink-free batch, layer by layer: the first row that fails is the layer that went
 * wrong, not one that inherits from it.
 */
export async function layerByLayer(
  { backend, reference }: StageContext,
  weights: TensorMap,
): Promise<StageFindings> {
  const { file, kinkfree } = reference.stage('backward');
  if (kinkfree.layers === undefined) return nothing;
  const { settings } = kinkfree;
  const { model } = reference;
  const arrays = reference.arrays(file);
  const byLayer = reference.arrays(kinkfree.layers);
  const batch = batchOf(reference.arrays(kinkfree.batch), kinkfree.batch, model.dropouts.length);
  const program = trainingStep(model, {
    images: batch.images.shape,
    momentum: settings.momentum,
    weightDecay: settings.weight_decay,
    dropout: settings.dropout > 0,
  });
  const layers = recordedNames(byLayer, '').filter((name) => !name.endsWith(gradientOf('')));
  const rows = executionOrder(layers, model);
  const known = rows.map((row) => row.name).filter((name) => program.fetches.has(name));
  const executable = await backend.compile(program, known);
  const state = await backend.upload(initialTrainingState(model, weights));
  const found = await executable.run(
    state,
    feedsOf({ ...batch, masks: masksAt(batch, 0) }, settings.lr),
  );
  await executable.dispose();
  await backend.free(state);

  const relativeL2 = hasBatchNorm(model) ? tolerances.relativeL2BatchNorm : tolerances.relativeL2;
  const ours = new Map<string, Tensor>();
  const pytorch = new Map<string, Tensor>();
  const verdicts = rows.map(({ name, layer }): Verdict => {
    const key = `layers/${name}`;
    const value = found.get(name);
    const ofWeight = recorded(arrays, `iter0/${name}`);
    const record = recorded(byLayer, name) ?? ofWeight;
    if (value === undefined || record === undefined) {
      const side = value === undefined ? 'on our side' : "on PyTorch's side";
      return { name: key, layer, checks: [], problem: `missing ${side}` };
    }
    const tolerance =
      ofWeight === undefined
        ? { relativeL2 }
        : weightTolerance({
            arrays,
            prefix: 'iter0/',
            name,
            cancelled: kinkfree.cancelled,
            relativeL2,
          });
    const judged = judgeRecorded(key, value, record, tolerance);
    ours.set(key, judged.ours);
    pytorch.set(key, judged.pytorch);
    return { ...judged.verdict, layer };
  });
  return { ...nothing, verdicts, ours, pytorch };
}
