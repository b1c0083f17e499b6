import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recorded } from '../../align/reference/recorded.ts';
import { fixturesDirectory, openReference } from '../../align/reference/reference.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
import { otherwiseHypotheses } from '../hypotheses/training/otherwise.ts';
import { numbersOf } from '../numbers.ts';
import { evidenceOf, suspectOf } from '../testdata/suspects.ts';
import { rerunVariants } from './rerun.ts';

const reference = openReference(join(fixturesDirectory, 'reference', 'preresnet110'));
const { file, settings } = reference.stage('epochs');
const arrays = reference.arrays(file);

/** What is said of PyTorch's own numbers from a run with one thing done otherwise. */
function said(change: string, name: string): readonly string[] {
  const key = `otherwise/${change}/${name}`;
  const ours = toFloat64((arrays.get(key) ?? arrays.get(`${key}#sample`))!);
  const { pytorch, truth } = recorded(arrays, name)!;
  const held = { name, shape: [ours.length], record: { pytorch, truth } };
  const suspect = { ...suspectOf(held, ours), limit: 1e-3 };
  const evidence = evidenceOf([], { variants: (of) => rerunVariants(arrays, of, settings) });
  return otherwiseHypotheses[0]
    .fits(numbersOf(suspect)!, suspect, evidence)
    .map(({ says }) => says);
}

it('of several values of a setting, the nearest', () => {
  expect(said('weight_decay=0.0005', 'epoch 1/conv1.weight')).toEqual([
    'weight decay fits 0.0005, the reference used 0.003',
  ]);
  expect(said('momentum=0', 'epoch 1/conv1.weight')).toEqual([
    "momentum is missing, the reference's is 0.8",
  ]);
});

it('what begins anew', () => {
  expect(said('momenta anew on resuming', 'epoch 11/conv1.weight')).toEqual([
    'momentum is lost on resuming: it begins anew at zero',
  ]);
});
