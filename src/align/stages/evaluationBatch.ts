import { join } from 'node:path';
import { holding } from '../../backends/holding.ts';
import { InputError } from '../../errors.ts';
import { evaluationFeeds, evaluationStep } from '../../program/evaluationStep.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts';
import {
  type DataOf,
  type DType,
  type Tensor,
  type TensorMap,
  tensor,
} from '../../tensor/tensor.ts';
import { arrayOf, type Reference } from '../reference/reference.ts';
import { startingWeights } from '../reference/seedWeights.ts';
import type { StageContext } from './stage.ts';

/** What a stage in evaluation mode runs on. */
interface EvaluationBatch {
  /** [n, 3, 32, 32] */
  readonly images: Tensor<'float32'>;
  /** [n] */
  readonly labels: Tensor<'int64'>;
  /** The files they came from, as the report names them. */
  readonly inputs: readonly string[];
}

const fake = { images: 'inputs/fake_data.npy', labels: 'inputs/fake_label.npy' } as const;

function checkedImages(images: Tensor, image: Shape, where: string): Tensor<'float32'> {
  const { dtype, shape } = images;
  if (images.dtype === 'float32' && sameShape(shape, [shape[0], ...image])) return images;
  const wanted = `[${['n', ...image].join(', ')}]`;
  throw new InputError(`images are ${dtype} ${formatShape(shape)}, not float32 ${wanted}`, {
    where,
    fix: 'record images of that shape',
  });
}

function checkedLabels(
  labels: Tensor,
  count: number,
  classes: number,
  where: string,
): Tensor<'int64'> {
  const fits =
    labels.dtype === 'int64' &&
    labels.data.length === count &&
    labels.data.every((label) => label >= 0n && label < BigInt(classes));
  if (fits) return tensor('int64', [count], labels.data);
  throw new InputError(`labels are not ${count} int64 from 0 to ${classes - 1}`, {
    where,
    fix: 'record one label an image',
  });
}

/** Where a stage's section of the manifest says its images are. */
interface BatchSource {
  readonly batch?: string | undefined;
  readonly settings?: { readonly images?: number | undefined } | undefined;
}

/** The first `count` images or labels, or all of them. */
function firstOf<D extends DType>({ dtype, shape, data }: Tensor<D>, count?: number): Tensor<D> {
  const [all, ...rest] = shape;
  const n = Math.min(count ?? all, all);
  return tensor(dtype, [n, ...rest], data.slice(0, n * sizeOf(rest)) as DataOf[D]);
}

/**
 * The images and labels of a stage: those in the reference's own file `batch`, or the first so many fixed fake ones.
 * Labels that were not recorded are zeros, and then nothing may depend on them. Throws InputError where the
 * arrays are missing or of another shape or type.
 */
function evaluationBatch(
  { dir, manifest, model, arrays, input }: Reference,
  { batch, settings }: BatchSource,
): EvaluationBatch {
  const own = batch === undefined ? undefined : arrays(batch);
  const where = batch === undefined ? 'inputs' : join(dir, batch);
  const images = checkedImages(
    own === undefined
      ? firstOf(input(fake.images), settings?.images)
      : arrayOf(own, 'images', where),
    model.image,
    where,
  );
  const count = images.shape[0];
  const labels =
    own === undefined ? firstOf(input(fake.labels), settings?.images) : own.get('labels');
  return {
    images,
    labels: checkedLabels(
      labels ?? tensor('int64', [count], new BigInt64Array(count)),
      count,
      manifest.classes,
      where,
    ),
    inputs: batch === undefined ? Object.values(fake) : [batch],
  };
}

/**
 * A stage's batch in evaluation mode: `ask` gives results of it, each time by a program that computes nothing else,
 * and `holds` says which there are.
 */
export function evaluating(context: StageContext, source: BatchSource) {
  const { backend, reference } = context;
  const { images, labels, inputs } = evaluationBatch(reference, source);
  const program = evaluationStep(reference.model, images.shape);
  const [weights, feeds] = [startingWeights(context), evaluationFeeds(images, labels)];
  return {
    inputs,
    holds: (name: string): boolean => program.fetches.has(name),
    ask: (fetches: readonly string[]): Promise<TensorMap> =>
      holding(backend, program, fetches, weights, (held) => held.run(feeds)),
  };
}
