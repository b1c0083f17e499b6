import { gradientOf } from '../../program/program.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { recorded } from '../recorded.ts';
import type { StageContext, StageFindings } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { updateRule } from '../updateRule.ts';
import { check, type Verdict } from '../verdict.ts';
import { nothing } from './parts.ts';

/**
 * The update rule alone: PyTorch's recorded gradients fed to ours at the recorded positions, as many steps
 * as there are, against PyTorch's final weights and momenta. A wrong rule shows here whatever the
 * gradients are.
 */
export async function sgdByItself(
  { backend, reference }: StageContext,
  start: TensorMap,
): Promise<StageFindings> {
  const { file, kinkfree } = reference.stage('backward');
  const arrays = reference.arrays(file);
  const theirs = (key: string): Tensor => recorded(arrays, key)!.pytorch;
  const rule = await updateRule(backend, reference, start);
  let found: TensorMap = new Map();
  for (let k = 0; k < kinkfree.settings.iterations; k++) {
    found = await rule.step((parameter) => theirs(`iter${k}/${gradientOf(parameter)}`));
  }
  const verdicts = [...found].map(([name, ours]): Verdict => {
    const worst = rule.ulps(name, ours, theirs(`final/${name}`));
    return { name: `sgd/${name}`, checks: [check('ulp', worst, tolerances.updateUlp)] };
  });
  await rule.dispose();
  return { ...nothing, verdicts };
}
