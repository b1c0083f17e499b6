import type { TensorMap } from '../../tensor/tensor.ts';
import type { Variant } from './variant.ts';

const settingWords: Readonly<Record<string, string>> = {
  momentum: 'momentum',
  weight_decay: 'weight decay',
};

/** What PyTorch did otherwise in a run that it made again. */
const changed: Readonly<Record<string, string>> = {
  'nesterov=True': "momentum is Nesterov's, the reference's is plain",
  'dampening=momentum': 'the gradient is dampened by the momentum, the reference adds all of it',
  'momenta anew on resuming': 'momentum is lost on resuming: it begins anew at zero',
  'momenta anew after joining':
    'momentum is lost when a model joins the average: it begins anew at zero',
  'statistics anew on resuming': 'running statistics are not restored on resuming: they begin anew',
  'statistics of the trained weights':
    'the statistics are those of the trained weights, not of the average',
};

/** In words, with the value that the reference used. */
function wordsOf(change: string, used: Readonly<Record<string, unknown>>): string {
  const [, key, value] = /^(\w+)=([\d.e+-]+)$/.exec(change) ?? [];
  const name = settingWords[key];
  if (name === undefined) return changed[change] ?? change;
  return Number(value) === 0
    ? `${name} is missing, the reference's is ${used[key]}`
    : `${name} fits ${value}, the reference used ${used[key]}`;
}

/** A tensor of a run that PyTorch made again with one thing done otherwise, wherever a file holds it. */
export function* rerunVariants(
  arrays: TensorMap,
  name: string,
  used: Readonly<Record<string, unknown>>,
): Generator<Variant> {
  const form = /^otherwise\/(.*?)\/(.*?)(#sample)?$/;
  for (const [key, value] of arrays) {
    const [, change, of] = form.exec(key) ?? [];
    if (change === undefined || of !== name) continue;
    const [, setting] = /^(\w+)=[\d.]/.exec(change) ?? [];
    const says = wordsOf(change, used);
    yield { key: `rerun ${change}`, says, value, ...(setting && { setting }) };
  }
}
