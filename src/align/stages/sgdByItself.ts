import { scalarsAt, slotsOf } from '../../optim/optimizer.ts';
import { optimizerUpdate } from '../../program/optimizerStep.ts';
import { gradientOf, slotOf } from '../../program/program.ts';
import { sizeOf } from '../../tensor/shape.ts';
import {
  scalar,
  type Tensor,
  type TensorMap,
  tensor,
  toFloat64,
  zeros,
} from '../../tensor/tensor.ts';
import { recorded } from '../recorded.ts';
import { recordedOptimizer } from '../recordedOptimizer.ts';
import { gather, samplePositions } from '../samplePositions.ts';
import type { StageContext, StageFindings } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { check, type Verdict } from '../verdict.ts';

/**
 * Largest error in units of the last place of each element's *history*: the largest value it had among
 * the terms that were added up. Adding numbers of opposite sign leaves a small sum with the rounding of
 * its large terms, whoever adds them; the unit there is the terms', not the sum's.
 */
export function historyUlps(ours: Tensor, theirs: Tensor, scales: Float64Array): number {
  const [a, b] = [toFloat64(ours), toFloat64(theirs)];
  return a.reduce((worst, x, i) => {
    const unit = 2 ** (Math.floor(Math.log2(Math.max(scales[i], 2 ** -126))) - 23);
    return Math.max(worst, Math.abs(x - b[i]) / unit);
  }, 0);
}

/**
 * The update rule alone: PyTorch's recorded gradients fed to ours at the recorded positions, as many steps
 * as there are, against PyTorch's final weights and momenta. A wrong rule shows here whatever the
 * gradients are.
 */
export async function sgdByItself(
  { backend, reference }: StageContext,
  weights: TensorMap,
): Promise<StageFindings> {
  const { file, kinkfree } = reference.stage('backward');
  const { settings } = kinkfree;
  const arrays = reference.arrays(file);
  const parameters = reference.model.state.filter((s) => s.role === 'parameter');
  const record = (key: string): Tensor => recorded(arrays, key)!.pytorch;

  const optimizer = recordedOptimizer(settings);
  const slots = slotsOf(optimizer);
  const start = new Map<string, Tensor>();
  for (const { name, shape } of parameters) {
    const final = recorded(arrays, `final/${name}`)!;
    const size = final.pytorch.data.length;
    const picked =
      final.moments === undefined
        ? tensor('float32', [size], weights.get(name)!.data as Float32Array)
        : gather(weights.get(name)!, samplePositions(sizeOf(shape), size));
    start.set(name, picked);
    for (const slot of slots) start.set(slotOf(name, slot), zeros('float32', [size]));
  }
  const flat = (t: Tensor): Tensor => ({ ...t, shape: [t.data.length] }) as Tensor;
  const program = optimizerUpdate(
    parameters.map(({ name }) => [name, start.get(name)!.shape]),
    optimizer,
  );
  const executable = await backend.compile(program, []);
  const state = await backend.upload(start);
  const scales = new Map([...start].map(([name, t]) => [name, toFloat64(t).map(Math.abs)]));
  for (let k = 0; k < settings.iterations; k++) {
    const gradients = parameters.map(({ name }): [string, Tensor] => [
      gradientOf(name),
      flat(record(`iter${k}/${gradientOf(name)}`)),
    ]);
    const numbers = Object.entries(scalarsAt(optimizer, settings.lr, k + 1)).map(
      ([name, value]): [string, Tensor] => [name, scalar(value)],
    );
    await executable.run(state, new Map([...numbers, ...gradients]));
    const now = await backend.download(state);
    for (const [name, gradient] of gradients) {
      const parameter = name.replace(/\.grad$/, '');
      for (const key of [parameter, ...slots.map((slot) => slotOf(parameter, slot))]) {
        const [values, g, scale] = [
          toFloat64(now.get(key)!),
          toFloat64(gradient),
          scales.get(key)!,
        ];
        const gradientCounts = key !== parameter;
        for (let i = 0; i < scale.length; i++) {
          scale[i] = Math.max(scale[i], Math.abs(values[i]), gradientCounts ? Math.abs(g[i]) : 0);
        }
      }
    }
  }
  const found = await backend.download(state);
  await executable.dispose();
  await backend.free(state);

  const verdicts = [...found].map(([name, ours]): Verdict => {
    const worst = historyUlps(ours, flat(record(`final/${name}`)), scales.get(name)!);
    return { name: `sgd/${name}`, checks: [check('ulp', worst, tolerances.updateUlp)] };
  });
  return { verdicts, ours: new Map(), pytorch: new Map(), inputs: [], notes: [] };
}
