import { fromPyTorch } from '../../src/port/layout.ts';
import type { Tensor, TensorMap } from '../../src/tensor/tensor.ts';

/** Other words for what PyTorch calls so, as an engine of its own might have them. */
const words: readonly (readonly [RegExp, string])[] = [
  [/\.output\.grad$/, '/dOut'],
  [/\.weight\.grad$/, '/dKernel'],
  [/\.bias\.grad$/, '/dBeta'],
  [/\.output(\.[\d.]+)?$/, '/out$1'],
  [/\.weight$/, '/kernel'],
  [/\.bias$/, '/beta'],
];

/** A name of PyTorch in a port's words: `step1/layers.0.conv1.weight.grad` → `iteration2/Layers_1/conv1/dKernel`. */
export function foreignName(name: string): string {
  const [, step, rest] = /^(?:step(\d+)\/)?(.*)$/.exec(name)!;
  const said = words.reduce((text, [from, to]) => text.replace(from, to), rest);
  const counted = said.replaceAll(/([a-z]+)\.(\d+)\./g, (_, word: string, n: string) => {
    return `${word[0].toUpperCase()}${word.slice(1)}_${Number(n) + 1}/`;
  });
  return `iteration${Number(step ?? 0) + 1}/${counted.replaceAll('.', '/')}`;
}

/** Axes as TensorFlow has them: NHWC, HWIO, and dense kernels the other way round. */
export function foreignAxes(name: string, value: Tensor): Tensor {
  const ofWeight = /weight/.test(name);
  if (value.shape.length === 4) return fromPyTorch(value, ofWeight ? 'HWIO' : 'NHWC');
  if (value.shape.length === 2 && ofWeight) return fromPyTorch(value, 'IO');
  return value;
}

/** What a port with names and axes of its own would have recorded. */
export const foreign = (recording: TensorMap): Map<string, Tensor> =>
  new Map([...recording].map(([name, t]) => [foreignName(name), foreignAxes(name, t)]));
