import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { recorded } from '../../align/reference/recorded.ts';
import { fixturesDirectory, openReference } from '../../align/reference/reference.ts';
import { tensor, toFloat64 } from '../../tensor/tensor.ts';
import { otherwiseHypotheses } from '../hypotheses/training/otherwise.ts';
import { numbersOf } from '../numbers.ts';
import type { Suspect } from '../suspect.ts';
import { evidenceOf, numbersFrom } from '../testdata/suspects.ts';
import { averageVariants } from './averages.ts';

/** The models that PyTorch averaged in stage *epochs*, and what came of it. */
const arrays = openReference(join(fixturesDirectory, 'reference', 'vgg16bn')).arrays('epochs.npz');
const weight = 'features.14.weight';
const models = [3, 4, 5].map((epoch) =>
  toFloat64(recorded(arrays, `epoch ${epoch}/${weight}`)!.truth),
);
const record = recorded(arrays, `average of 3/${weight}`)!;

function said(ours: Float64Array): readonly string[] {
  const found = tensor('float64', [ours.length], ours);
  const suspect: Suspect = {
    name: weight,
    shape: [ours.length],
    record: { pytorch: record.pytorch, truth: record.truth },
    ours: found,
    limit: 1e-6,
  };
  const numbers = numbersOf(suspect)!;
  const evidence = evidenceOf([], { variants: () => averageVariants(models, ours) });
  return otherwiseHypotheses[0]
    .fits(numbers, suspect, evidence)
    .filter(({ left }) => left <= numbers.limit)
    .map(({ says }) => says);
}

const mixed = (shares: readonly number[]): Float64Array =>
  models[0].map((_, i) => shares.reduce((sum, share, k) => sum + share * models[k][i], 0));

it('models with other shares', () => {
  expect(said(mixed([0, 0, 1]))).toContain('equals the last model, not the average');
  expect(said(mixed([0.25, 0.25, 0.25]))[0]).toContain('one model more is averaged');
  expect(said(mixed([1 / 6, 1 / 6, 2 / 3]))[0]).toContain('are swapped');
  expect(said(mixed([1, 1, 1]))).toContain('is the sum of the models, not their mean');
});

it('an exponential average, by any share', () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 95 }), (percent) => {
      const share = percent / 100;
      const keep = 1 - share;
      const found = said(mixed([keep * keep, keep * share, share])).join();
      expect(found).toContain(`each new model has a share of ${share}: an exponential average`);
    }),
    { numRuns: 20 },
  );
});

it('nothing of noise', () => {
  const noise = numbersFrom(3, models[0].length);
  expect(said(toFloat64(record.truth).map((x, i) => x * (1 + 0.01 * noise[i])))).toEqual([]);
});
