import { holding } from '../../backends/holding.ts';
import { evaluationFeeds, evaluationStep } from '../../program/evaluationStep.ts';
import { sizeOf } from '../../tensor/shape.ts';
import {
  type DataOf,
  type DType,
  type Tensor,
  type TensorMap,
  tensor,
} from '../../tensor/tensor.ts';
import type { Reference } from '../reference/reference.ts';
import { startingWeights } from '../reference/seedWeights.ts';
import type { StageContext } from './stage.ts';

/** Images and labels, as the report names their files. */
const fake = { images: 'inputs/fake_data.npy', labels: 'inputs/fake_label.npy' } as const;

/** Where a stage's section of the manifest says how many of them it sees: all where it does not. */
interface BatchSource {
  readonly settings?: { readonly images?: number | undefined } | undefined;
}

/** The first `count` images or labels, or all of them. */
function firstOf<D extends DType>({ dtype, shape, data }: Tensor<D>, count?: number): Tensor<D> {
  const [all, ...rest] = shape;
  const n = Math.min(count ?? all, all);
  return tensor(dtype, [n, ...rest], data.slice(0, n * sizeOf(rest)) as DataOf[D]);
}

/** A stage's batch and the program of its evaluation. */
export function evaluationBatch(reference: Reference, { settings }: BatchSource) {
  const images = firstOf(reference.input(fake.images), settings?.images);
  const count = images.shape[0];
  // The original port's labels lie in a column.
  const labels = { ...firstOf(reference.input(fake.labels), count), shape: [count] } as Tensor;
  return {
    program: evaluationStep(reference.model, images.shape),
    feeds: evaluationFeeds(images, labels),
  };
}

/**
 * A stage's batch in evaluation mode: `ask` gives results of it, each time by a program that computes nothing else,
 * and `holds` says which there are.
 */
export function evaluating(context: StageContext, source: BatchSource) {
  const { backend, reference } = context;
  const { program, feeds } = evaluationBatch(reference, source);
  const weights = startingWeights(context);
  return {
    inputs: Object.values(fake),
    holds: (name: string): boolean => program.fetches.has(name),
    ask: (fetches: readonly string[]): Promise<TensorMap> =>
      holding(backend, program, fetches, weights, (held) => held.run(feeds)),
  };
}
