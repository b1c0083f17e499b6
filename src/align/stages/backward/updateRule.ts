import type { Backend } from '../../../backends/backend.ts';
import { scalarsAt, slotsOf } from '../../../optim/optimizer.ts';
import { optimizerUpdate } from '../../../program/optimizerStep.ts';
import { gradientOf, slotOf } from '../../../program/program.ts';
import { scalars, type Tensor, type TensorMap, toFloat64, zeros } from '../../../tensor/tensor.ts';
import type { UlpRule } from '../../judge/expectation.ts';
import { tolerances } from '../../judge/tolerances.ts';
import { asRecorded, recorded } from '../../reference/recorded.ts';
import { recordedOptimizer } from '../../reference/recordedOptimizer.ts';
import type { Reference } from '../../reference/reference.ts';

const flat = (t: Tensor): Tensor => ({ ...t, shape: [t.data.length] }) as Tensor;

/** The update rule of a reference's optimizer without the network, at the elements that the reference holds. */
export interface UpdateRule {
  readonly parameters: readonly string[];
  /** One more step; `gradient` gives a parameter's, whole or as recorded. Weights and slots after it. */
  step(gradient: (parameter: string) => Tensor): Promise<TensorMap>;
  /** Of a weight or slot, whole or as recorded, the elements that the rule is followed at, in one row. */
  picked(name: string, t: Tensor): Tensor;
  /** How a value of a weight or slot after the last step is held against another of it. */
  near(name: string, theirs: Tensor): UlpRule;
}

/**
 * The rule on a backend that holds it, from the weights in `start` on. Parameters whose end was not recorded are left
 * out.
 */
export async function updateRule(
  backend: Backend,
  reference: Reference,
  start: TensorMap,
): Promise<UpdateRule> {
  const { file, kinkfree } = reference.stage('backward');
  const { settings } = kinkfree;
  const arrays = reference.arrays(file);
  const optimizer = recordedOptimizer(settings);
  const records = reference.model.state.flatMap(({ name, role }) => {
    const record = role === 'parameter' ? recorded(arrays, `final/${name}`) : undefined;
    return record === undefined ? [] : [{ name, record }];
  });
  const parameters = records.map(({ name }) => name);
  const namesOf = (parameter: string): string[] => [
    parameter,
    ...slotsOf(optimizer).map((slot) => slotOf(parameter, slot)),
  ];
  const recordOf = new Map(
    records.flatMap(({ name, record }) =>
      [...namesOf(name), gradientOf(name)].map((key) => [key, record] as const),
    ),
  );
  /** Of a whole tensor the recorded elements. */
  const picked = (name: string, t: Tensor): Tensor => {
    const record = recordOf.get(name)!;
    return flat(t.data.length === record.pytorch.data.length ? t : asRecorded(t, record));
  };
  const values = new Map<string, Tensor>();
  for (const name of parameters) {
    const [weight, ...slots] = namesOf(name);
    values.set(weight, picked(name, start.get(name)!));
    for (const slot of slots) values.set(slot, zeros('float32', values.get(weight)!.shape));
  }
  const scales = new Map([...values].map(([name, t]) => [name, toFloat64(t).map(Math.abs)]));
  const program = optimizerUpdate(
    parameters.map((name) => [name, values.get(name)!.shape]),
    optimizer,
  );
  const executable = await backend.compile(program, []);
  const state = await backend.upload(values);
  let steps = 0;
  return {
    parameters,
    async step(gradient) {
      const given = new Map(
        parameters.map((name) => [gradientOf(name), picked(gradientOf(name), gradient(name))]),
      );
      const numbers = scalars(scalarsAt(optimizer, settings.lr, ++steps));
      await executable.run(state, new Map([...numbers, ...given]));
      const now = await backend.download(state);
      for (const parameter of parameters) {
        const g = toFloat64(given.get(gradientOf(parameter))!);
        for (const key of namesOf(parameter)) {
          const [scale, after] = [scales.get(key)!, toFloat64(now.get(key)!)];
          const gradientCounts = key !== parameter;
          for (let i = 0; i < scale.length; i++) {
            scale[i] = Math.max(scale[i], Math.abs(after[i]), gradientCounts ? Math.abs(g[i]) : 0);
          }
        }
      }
      return now;
    },
    picked,
    near: (name, theirs) => ({
      kind: 'ulp',
      to: picked(name, theirs),
      scales: scales.get(name)!.slice(),
      threshold: tolerances.updateUlp,
    }),
  };
}
