import { join } from 'node:path';
import type { Reference } from '../../align/reference/reference.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { scalar, toFloat64 } from '../../tensor/tensor.ts';
import type { Evidence } from '../suspect.ts';
import { type Batches, meanVariants } from './means.ts';
import type { Variant } from './variant.ts';

/** A label and an image of three planes. */
const recordBytes = 1 + 3 * 32 * 32;

function labelsOf(reference: Reference, count: number): number[] {
  const path = join(reference.syntheticDirectory(), 'cifar-10-batches-bin', 'test_batch.bin');
  const bytes = readFileOrFail(path);
  return Array.from({ length: count }, (_, i) => bytes[i * recordBytes]);
}

/** The usual one first: few classes are soon all among the first. */
const tops = [5, 2, 3, 4];
const words = ['', '', 'two', 'three', 'four', 'five'];

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Variants of what stage *metric* judges, of our own logits: those of loss and accuracy. */
export function metricVariants(reference: Reference) {
  const { settings, images: count } = reference.stage('metric');
  const { batch } = settings;
  return function* variants(name: string, { ours }: Evidence): Generator<Variant> {
    const found = ours('logits');
    if (found === undefined || (name !== 'loss' && name !== 'accuracy')) return;
    if (found.shape[0] !== count) return;
    const labels = labelsOf(reference, count);
    const logits = toFloat64(found);
    const width = logits.length / count;
    const rows = labels.map((_, i) => logits.subarray(i * width, (i + 1) * width));
    const batched = (values: readonly number[]): Batches => {
      const starts = Array.from({ length: Math.ceil(count / batch) }, (_, k) => k * batch);
      const parts = starts.map((start) => values.slice(start, start + batch));
      const sizes = parts.map(({ length }) => length);
      return { means: parts.map((part) => sum(part) / part.length), sizes, full: batch };
    };
    if (name === 'loss') {
      yield* meanVariants(batched(rows.map((row, i) => crossEntropy(row, labels[i]))));
      return;
    }
    const better = rows.map((row, i) => row.filter((x) => x > row[labels[i]]).length);
    const right = (k: number): number[] => better.map((n) => (n < k ? 1 : 0));
    yield* meanVariants(batched(right(1)));
    const accuracy = sum(right(1)) / count;
    yield {
      key: 'whole number',
      says: 'is rounded down to a whole number: divided as whole numbers',
      value: scalar(Math.trunc(accuracy)),
    };
    yield { key: 'percent', says: 'is in percent', value: scalar(100 * accuracy) };
    yield { key: 'error', says: 'is the share of errors', value: scalar(1 - accuracy) };
    for (const k of tops) {
      yield {
        key: `top-${k}`,
        says: `counts the right class among the first ${words[k]}: top-${k}`,
        value: scalar(sum(right(k)) / count),
      };
    }
  };
}

function crossEntropy(row: Float64Array, label: number): number {
  const top = Math.max(...row);
  return top + Math.log(row.reduce((all, x) => all + Math.exp(x - top), 0)) - row[label];
}
