import { inferenceModel } from '../../backends/ort/inference/inferenceModel.ts';
import { models } from '../../nn/models/index.ts';
import type { TrainedModel } from '../../train/checkpoint/trainedModel.ts';

/** A trained model as an ONNX file, which says how it wants its images. */
export function onnxOf(
  { model, weights, settings }: TrainedModel,
  foldBatchNorm: boolean,
): Uint8Array {
  const { title, preparation } = models[settings.model];
  const { mean, std } = preparation.normalisation;
  const [last] = model.state.slice(-1);
  return inferenceModel(model, weights, {
    foldBatchNorm,
    metadata: {
      model: title,
      ...(settings.narrow !== undefined && { narrow: String(settings.narrow) }),
      classes: String(last.shape[0]),
      mean: mean.join(', '),
      std: std.join(', '),
    },
  });
}
