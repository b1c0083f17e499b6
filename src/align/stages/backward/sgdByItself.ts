import { releasing } from '../../../backends/holding.ts';
import { gradientOf } from '../../../program/program.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Rule } from '../../judge/expectation.ts';
import { recorded } from '../../reference/recorded.ts';
import { recordedBatch } from '../../reference/recordedBatch.ts';
import { startingWeights } from '../../reference/seedWeights.ts';
import type { Part } from '../stage.ts';
import { updateRule } from './updateRule.ts';

/**
 * The update rule alone: PyTorch's recorded gradients fed to ours at the recorded positions, as many steps
 * as there are, against PyTorch's final weights and momenta. A wrong rule shows here whatever the
 * gradients are.
 */
export const sgdByItself: Part = {
  run: (context) =>
    releasing(async (on) => {
      const { backend, reference } = context;
      const { file, kinkfree } = reference.stage('backward');
      const arrays = reference.arrays(file);
      const theirs = (key: string): Tensor => recorded(arrays, key)!.pytorch;
      const start = recordedBatch(reference).start(startingWeights(context));
      const rule = await updateRule(on(backend), reference, start);
      const recording = new Map<string, Tensor>();
      for (let k = 0; k < kinkfree.settings.iterations; k++) {
        const after = await rule.step((name) => theirs(`iter${k}/${gradientOf(name)}`));
        for (const [name, value] of after) recording.set(`sgd/${name}`, value);
      }
      const names = [...recording.keys()];
      const rules = names.map((key): [string, Rule] => {
        const name = key.slice('sgd/'.length);
        return [key, rule.near(name, theirs(`final/${name}`))];
      });
      return { recording, rules: new Map(rules) };
    }),
  expect: (_, { rules = new Map() }) => [...rules].map(([name, rule]) => ({ name, rule })),
};
