import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixturesDirectory, openReference } from '../../align/reference/reference.ts';
import { type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { decidedFits } from '../hypotheses/training/otherwise.ts';
import type { Evidence } from '../suspect.ts';
import { averagedVariants, sizeVariants, toldVariants } from './decisions.ts';
import { rateVariants } from './schedule.ts';
import type { Variant } from './variant.ts';

const list = (values: readonly number[]): Tensor =>
  tensor('float64', [values.length], Float64Array.from(values));

/** What is said of a list of decisions, by what it could have been. */
function said(
  ours: readonly number[],
  variants: Iterable<Variant>,
  truth: readonly number[] = [0],
): string[] {
  const shape = [ours.length];
  const record = { truth: list(truth), pytorch: list(truth) };
  const suspect = { name: 'a list', shape, record, ours: list(ours), limit: 0, decided: true };
  const evidence = { variants: () => variants } as unknown as Evidence;
  return decidedFits(suspect, evidence).map(({ says }) => says);
}

const opened = (model: string) => openReference(join(fixturesDirectory, 'reference', model));

/** The rates of the authors' schedule, as Python computed them. */
const rates = [
  ...toFloat64(opened('vgg16').arrays('swa.npz').get('schedule/swa300')!),
] as readonly number[];
const run = {
  lrInit: 0.05,
  swa: { start: 161, lr: 0.01, cycle: 1 },
  epochs: 300,
  steps: 1,
  from: 0,
};

const ofRates = (ours: readonly number[], from = 0): string[] =>
  said(ours, rateVariants({ ...run, from }, Float64Array.from(ours)), rates.slice(from));

describe('rates', () => {
  it('of the reference itself, and of any other change, nothing is said', () => {
    expect(ofRates(rates)).toEqual([]);
    expect(ofRates(rates.map((rate, epoch) => rate * (1 + 1e-6 * Math.sin(epoch))))).toEqual([]);
    expect(ofRates(rates.map((rate, epoch) => (epoch === 100 ? rate / 2 : rate)))).toEqual([]);
  });

  it('an epoch late or early', () => {
    const late = [rates[0], ...rates.slice(0, -1)];
    expect(ofRates(late)).toEqual(['the learning rate of epoch 81 in epoch 82: 1 epoch late']);
    const early = [...rates.slice(2), rates[299], rates[299]];
    expect(ofRates(early)).toEqual(['the learning rate of epoch 82 in epoch 80: 2 epochs early']);
  });

  it('from elsewhere, or to elsewhere: the same curve between other ends', () => {
    const between = (from: number, to: number): number[] =>
      rates.map((rate) => from + ((rate - 0.05) * (to - from)) / (0.01 - 0.05));
    expect(ofRates(between(0.1, 0.01))).toEqual([
      "the learning rate begins at 0.1, the reference's at lr_init = 0.05",
    ]);
    expect(ofRates(between(0.05, 0.02))).toEqual([
      "the learning rate ends at 0.02, the reference's at swa_lr = 0.01",
    ]);
  });

  it('begun anew on resuming', () => {
    expect(ofRates(rates.slice(0, 200), 100)).toEqual([
      'the learning rate of epoch 1 in epoch 101: the schedule begins anew on resuming',
    ]);
  });

  it('of the plain schedule of SGD where the reference averages', () => {
    const swa = opened('vgg16').arrays('swa.npz').get('schedule/sgd300')!;
    // Two things are otherwise: its length, and where it ends.
    expect(ofRates([...toFloat64(swa)])).toEqual([]);
  });
});

describe('what stage epochs decides', () => {
  const small = opened('preresnet110');
  const { settings } = small.stage('epochs');
  const arrays = small.arrays('epochs.npz');
  const of = (key: string): number[] => [...toFloat64(arrays.get(key)!)];
  const decided = {
    lrInit: settings.lr_init,
    swa: { start: settings.swa_start, lr: settings.swa_lr, cycle: settings.swa_c_epochs },
    epochs: settings.epochs,
    steps: 3,
    from: 0,
  };

  it('with one setting of another value: which, and what fits', () => {
    const every = of('averaged').map((_, epoch) => Math.max(0, epoch - 3));
    expect(said(every, averagedVariants(decided))).toEqual([
      "a model joins the average after every epoch, the reference's after every third: swa_c_epochs fits 1, not 3",
    ]);
    expect(said([1, 5, 10, 12], toldVariants(decided, { evalFreq: 4, average: false }))).toEqual([
      "tested after other epochs: eval_freq fits 5, the reference's is 4",
    ]);
    const dropped = Array.from({ length: 24 }, () => 5);
    expect(said(dropped, sizeVariants(decided, { images: 12, batch: 5 }))).toEqual([
      'the last, short batch of 2 is missing in every epoch',
    ]);
  });
});
