import { asRecorded, recorded } from '../../align/reference/recorded.ts';
import { arrayOf, type Reference } from '../../align/reference/reference.ts';
import { type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import type { GivenSteps } from './given.ts';

/** What stage *ops* gives an optimizer's steps, by the name of one of their results: `Adam/weight`. */
export function stepsOfOps(reference: Reference): (name: string) => GivenSteps | undefined {
  const { file, optimizers = {} } = reference.stage('ops');
  return (name) => {
    const [optimizer] = Object.keys(optimizers).filter((key) => name.startsWith(`${key}/`));
    if (optimizer === undefined) return undefined;
    const arrays = reference.arrays(file);
    const of = (key: string) => arrayOf(arrays, `optimizer/${optimizer}/${key}`, file);
    const gradients = of('gradients');
    const [count, size] = gradients.shape;
    const all = toFloat64(gradients);
    const start = `f32/${optimizer}/`;
    const results = [...arrays.keys()]
      .filter((key) => key.startsWith(start))
      .map((key) => key.slice(start.length));
    return {
      settings: optimizers[optimizer],
      weight: toFloat64(of('weight')),
      gradients: Array.from({ length: count }, (_, k) => all.slice(k * size, (k + 1) * size)),
      results: Object.fromEntries(results.map((result) => [result, `${optimizer}/${result}`])),
    };
  };
}

/** The same of stage *backward*'s update rule by itself: `sgd/features.0.weight.momentum`. */
export function stepsOfBackward(
  reference: Reference,
  start: TensorMap,
): (name: string) => GivenSteps | undefined {
  const { file, kinkfree } = reference.stage('backward');
  return (name) => {
    const [, parameter] = /^sgd\/(.*?)(?:\.momentum)?$/.exec(name) ?? [];
    const whole = parameter === undefined ? undefined : start.get(parameter);
    if (parameter === undefined || whole === undefined) return undefined;
    const arrays = reference.arrays(file);
    const record = recorded(arrays, `final/${parameter}`);
    const gradients = Array.from({ length: kinkfree.settings.iterations }, (_, k) =>
      recorded(arrays, `iter${k}/${parameter}.grad`),
    ).flatMap((found) => (found === undefined ? [] : [toFloat64(found.pytorch)]));
    if (record === undefined || gradients.length < kinkfree.settings.iterations) return undefined;
    return {
      settings: { kind: 'sgd', ...kinkfree.settings },
      weight: toFloat64(asRecorded(whole, record)),
      gradients,
      results: { weight: `sgd/${parameter}`, momentum: `sgd/${parameter}.momentum` },
    };
  };
}
