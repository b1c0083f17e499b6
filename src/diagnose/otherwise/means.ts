import { scalar } from '../../tensor/tensor.ts';
import type { Variant } from './variant.ts';

/** What is averaged over images that come in batches. */
export interface Batches {
  /** Mean over each batch. */
  readonly means: readonly number[];
  /** Images in each. */
  readonly sizes: readonly number[];
  /** Images in a full one. */
  readonly full: number;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** A mean over all images, were it taken otherwise. */
export function* meanVariants({ means, sizes, full }: Batches): Generator<Variant> {
  const sums = means.map((mean, k) => mean * sizes[k]);
  const all = sum(sums);
  const count = sum(sizes);
  const n = means.length;
  const other = (key: string, says: string, value: number): Variant => ({
    key: `mean ${key}`,
    says,
    value: scalar(value),
  });
  yield other(
    'of means',
    'is a mean of means over batches: a short batch counts like a full one',
    sum(means) / n,
  );
  yield other(
    'by full batches',
    `is divided by ${n} full batches times ${full}, not by the ${count} images`,
    all / (n * full),
  );
  yield other('last batch', 'is that of the last batch only', means[n - 1]);
  yield other('first batch', 'is that of the first batch only', means[0]);
  yield other('sum', `is the sum over ${count} images, not their mean`, all);
  yield other('sum of means', `is the sum over ${n} batches, not their mean`, sum(means));
  if (n > 1) {
    yield other(
      'without last',
      'lacks the last batch',
      sum(sums.slice(0, -1)) / sum(sizes.slice(0, -1)),
    );
  }
}
