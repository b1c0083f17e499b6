import { holding } from '../../../backends/holding.ts';
import { scalarsAt } from '../../../optim/optimizer.ts';
import { trainingStep } from '../../../program/trainingStep.ts';
import { type Tensor, tensor, toFloat64 } from '../../../tensor/tensor.ts';
import { feedsOf, initialTrainingState } from '../../../train/trainingState.ts';
import { tolerances } from '../../judge/tolerances.ts';
import { recordedOptimizer } from '../../reference/recordedOptimizer.ts';
import { arrayOf } from '../../reference/reference.ts';
import { startingWeights } from '../../reference/seedWeights.ts';
import type { Part } from '../stage.ts';

const inputs = ['inputs/fake_data.npy', 'inputs/fake_label.npy'] as const;

const key = 'ncpaddle/losses';

/**
 * What the original port checked: the losses of three iterations on the 30 fake images, dropout off, its
 * own learning rate. On such a batch gradients beyond the first step are decided by rounding at kinks, so
 * losses are all that is compared.
 */
export const ncpaddleLosses: Part = {
  async run(context) {
    const { backend, reference } = context;
    const { settings } = reference.stage('backward').ncpaddle!;
    const { model } = reference;
    const images = reference.input(inputs[0]) as Tensor<'float32'>;
    const labels = reference.input(inputs[1]) as Tensor<'int64'>;
    const flat = tensor('int64', [labels.data.length], labels.data);
    const optimizer = recordedOptimizer(settings);
    const program = trainingStep(model, {
      images: images.shape,
      optimizer,
      dropout: settings.dropout > 0,
    });
    const start = initialTrainingState(model, startingWeights(context), optimizer);
    const losses = new Float32Array(settings.iterations);
    await holding(backend, program, ['loss'], start, async (held) => {
      for (let k = 0; k < losses.length; k++) {
        const numbers = scalarsAt(optimizer, settings.lr, k + 1);
        const results = await held.run(feedsOf({ images, labels: flat, masks: [] }, numbers));
        losses[k] = toFloat64(results.get('loss')!)[0];
      }
    });
    return { recording: new Map([[key, tensor('float32', [losses.length], losses)]]), inputs };
  },
  expect({ reference }) {
    const { file } = reference.stage('backward');
    const to = arrayOf(reference.arrays(file), `f32/${key}`, file);
    return [
      { name: key, rule: { kind: 'distance', method: 'mean', to, threshold: tolerances.meanAbs } },
    ];
  },
};
