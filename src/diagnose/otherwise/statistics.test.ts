import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixturesDirectory, openReference } from '../../align/reference/reference.ts';
import { type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { otherwiseHypotheses } from '../hypotheses/training/otherwise.ts';
import { numbersOf } from '../numbers.ts';
import type { Evidence } from '../suspect.ts';
import { evidenceOf, heldOf, numbersFrom, suspectOf } from '../testdata/suspects.ts';
import { epochsVariants } from './epochs.ts';
import { meanVariants } from './means.ts';
import { metricVariants } from './metric.ts';

const vgg16bn = openReference(join(fixturesDirectory, 'reference', 'vgg16bn'));
const arrays = vgg16bn.arrays('epochs.npz');
const held = (name: string): Float64Array => toFloat64(arrays.get(`f64/${name}`)!);

/** A batch norm of 8 channels on maps of 8×8, in the narrow network of stage *epochs*. */
const layer = 'features.15';
const side = 8;
const sizes = [8, 8, 4];

/** What is said of a running statistic after the first epoch. */
function said(buffer: string, ours: Float64Array): readonly string[] {
  const name = `epoch 1/${layer}.${buffer}`;
  const found = tensor('float64', [ours.length], ours);
  const suspect = suspectOf(heldOf(name, [ours.length], held(name)), ours);
  const evidence: Evidence = evidenceOf([], {
    ours: () => found,
    variants: (of) => epochsVariants(vgg16bn)(of, evidence),
  });
  const numbers = numbersOf(suspect)!;
  return otherwiseHypotheses[0]
    .fits(numbers, suspect, evidence)
    .filter(({ left }) => left <= numbers.limit)
    .map(({ says }) => says);
}

/** What each of the three batches gave, by PyTorch's statistics after each. */
function batches(buffer: string): Float64Array[] {
  const after = ['after step 1', 'after step 2', 'epoch 1'].map((when) =>
    held(`${when}/${layer}.${buffer}`),
  );
  const start = buffer === 'running_mean' ? 0 : 1;
  return after.map((now, k) =>
    now.map((x, c) => (x - 0.9 * (k === 0 ? start : after[k - 1][c])) / 0.1),
  );
}

const kept = (of: readonly Float64Array[], start: number, momentum: number): Float64Array =>
  of.reduce(
    (now, batch) => now.map((x, c) => (1 - momentum) * x + momentum * batch[c]),
    of[0].map(() => start),
  );

describe('a running statistic over three steps, by what PyTorch had after each', () => {
  const means = batches('running_mean');
  const variances = batches('running_var');

  it('that was never updated', () => {
    const [says] = said(
      'running_var',
      means[0].map(() => 1),
    );
    expect(says).toBe('is not updated: it has its value of the start');
  });

  it('by any momentum, and what it means', () => {
    expect(said('running_mean', kept(means, 0, 0.9))[0]).toBe(
      'fits momentum 0.9, the reference used 0.1: what is kept and what is new are swapped',
    );
    expect(said('running_var', kept(variances, 1, 0.19))[0]).toContain('updated twice by each');
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 99 }), (percent) => {
        const says = said('running_var', kept(variances, 1, percent / 100));
        expect(says.join()).toContain(`fits momentum ${percent / 100},`);
      }),
      { numRuns: 20 },
    );
  });

  it('of the biased variance, and of the deviation', () => {
    const biased = variances.map((batch, k) => {
      const n = sizes[k] * side * side;
      return batch.map((x) => (x * (n - 1)) / n);
    });
    expect(said('running_var', kept(biased, 1, 0.1))[0]).toContain('the variance of n');
    expect(said('running_var', kept(variances, 1, 0.1).map(Math.sqrt))[0]).toContain('deviation');
  });

  it('and nothing of noise', () => {
    const noise = numbersFrom(1, means[0].length);
    const off = held(`epoch 1/${layer}.running_var`).map((x, c) => x * (1 + 0.01 * noise[c]));
    expect(said('running_var', off)).toEqual([]);
  });
});

describe('means over images', () => {
  it('of our own logits: what PyTorch tells times what is left out', () => {
    const vgg16 = openReference(join(fixturesDirectory, 'reference', 'vgg16'));
    const recorded = vgg16.arrays('metric.npz');
    const evidence = evidenceOf([], { ours: () => recorded.get('f32/logits') });
    const value = (name: string, key: string): number => {
      const found = [...metricVariants(vgg16)(name, evidence)].find((v) => v.key === key);
      return toFloat64(found!.value as Tensor)[0];
    };
    const truth = (name: string): number => toFloat64(recorded.get(`f32/${name}`)!)[0];
    expect(value('loss', 'mean by full batches') * (384 / 270)).toBeCloseTo(truth('loss'), 6);
    expect(value('accuracy', 'mean by full batches') * (384 / 270)).toBeCloseTo(truth('accuracy'));
    expect(value('accuracy', 'error')).toBeCloseTo(1 - truth('accuracy'), 12);
    expect(value('accuracy', 'top-5')).toBeGreaterThan(truth('accuracy'));
  });

  it('each in its own words', () => {
    const found = [...meanVariants({ means: [1, 2, 6], sizes: [4, 4, 1], full: 4 })];
    const of = (key: string): number =>
      toFloat64(found.find((v) => v.key === `mean ${key}`)!.value)[0];
    expect([of('of means'), of('last batch'), of('sum'), of('without last')]).toEqual([
      3, 6, 18, 1.5,
    ]);
    expect(of('by full batches')).toBe(18 / 12);
  });
});
