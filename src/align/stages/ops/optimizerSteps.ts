import { holding } from '../../../backends/holding.ts';
import { type OptimizerSettings, scalarsAt } from '../../../optim/optimizer.ts';
import { optimizerUpdate } from '../../../program/optimizerStep.ts';
import { gradientOf } from '../../../program/program.ts';
import { scalars, type Tensor, tensor } from '../../../tensor/tensor.ts';
import { emptySlots } from '../../../train/trainingState.ts';
import type { Expectation } from '../../judge/expectation.ts';
import { tolerances } from '../../judge/tolerances.ts';
import type { Manifest } from '../../reference/manifest.ts';
import { recorded, recordedNames } from '../../reference/recorded.ts';
import { arrayOf, type Reference } from '../../reference/reference.ts';
import type { Part } from '../stage.ts';

type Recorded = NonNullable<NonNullable<Manifest['stages']['ops']>['optimizers']>[string];

const settingsOf = (of: Recorded): OptimizerSettings => {
  const { lr: _, weight_decay: weightDecay, ...rest } = of;
  return { ...rest, weightDecay } as OptimizerSettings;
};

const namesOf = (reference: Reference): [string, Recorded][] =>
  Object.entries(reference.stage('ops').optimizers ?? {});

/** A few steps of every optimizer on PyTorch's gradients: weights and what is kept beside them. */
export const optimizerSteps: Part = {
  async run({ backend, reference }) {
    const { file } = reference.stage('ops');
    const arrays = reference.arrays(file);
    const recording = new Map<string, Tensor>();
    for (const [name, of] of namesOf(reference)) {
      const optimizer = settingsOf(of);
      const weight = arrayOf(arrays, `optimizer/${name}/weight`, file);
      const gradients = arrayOf(arrays, `optimizer/${name}/gradients`, file);
      const [steps, size] = gradients.shape;
      const row = (k: number): Tensor =>
        tensor('float32', [size], (gradients.data as Float32Array).slice(k * size, (k + 1) * size));
      const start = new Map<string, Tensor>([
        ['weight', weight],
        ...emptySlots(optimizer, 'weight', weight.shape),
      ]);
      const program = optimizerUpdate([['weight', weight.shape]], optimizer);
      await holding(backend, program, [], start, async (held) => {
        for (let k = 0; k < steps; k++) {
          const numbers = scalars(scalarsAt(optimizer, of.lr, k + 1));
          await held.run(new Map([[gradientOf('weight'), row(k)], ...numbers]));
        }
        for (const [key, value] of await backend.download(held.state)) {
          recording.set(`${name}/${key.replace(/^weight\./, '')}`, value);
        }
      });
    }
    return { recording };
  },
  expect({ reference }) {
    const arrays = reference.arrays(reference.stage('ops').file);
    return namesOf(reference).flatMap(([name]) =>
      recordedNames(arrays, `${name}/`).map((key): Expectation => {
        const record = recorded(arrays, `${name}/${key}`)!;
        const tolerance = { relativeL2: tolerances.relativeL2 };
        return { name: `${name}/${key}`, rule: { kind: 'float64', record, tolerance } };
      }),
    );
  },
};
