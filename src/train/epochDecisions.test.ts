import { describe, expect, test } from 'vitest';
import { forkGenerator, generatorState, manualSeed, skipU32 } from '../torch/generator.ts';
import {
  drawEvaluations,
  isAverageEvaluated,
  isEvaluated,
  joinsAverage,
} from './epochDecisions.ts';
import { recipe, type TrainingSettings } from './settings/trainingSettings.ts';

const settings: TrainingSettings = { ...recipe, swa: true };
const epochs = (n: number): number[] => Array.from({ length: n }, (_, epoch) => epoch);

test('trap: (epoch + 1) >= swa_start averages 40 models in 200 epochs', () => {
  const joining = epochs(200).filter((epoch) => joinsAverage(epoch, settings));
  expect(joining).toHaveLength(40);
  expect(joining[0]).toBe(160);
  expect(joining.at(-1)).toBe(199);
});

/** Per epoch from 0: evaluated, averaged, average evaluated. */
const decisions = (s: TrainingSettings): string[] =>
  epochs(s.epochs).map((epoch) =>
    [
      isEvaluated(epoch, s) ? 'E' : '-',
      joinsAverage(epoch, s) ? 'A' : '-',
      isAverageEvaluated(epoch, s) ? 'S' : '-',
    ].join(''),
  );

describe('what follows an epoch', () => {
  test.each([
    [{ epochs: 6, evalFreq: 5, swaStart: 1 }, 'EAS -A- -A- -A- EAS EAS'],
    [{ epochs: 7, evalFreq: 3, swaStart: 4 }, 'E-- --- E-- -A- -A- EAS EAS'],
    [{ epochs: 7, evalFreq: 2, swaStart: 3, swaCEpochs: 2 }, 'E-- E-- -A- E-- -A- E-- EAS'],
    // Where the last epoch brings no new model, its evaluation still tells what the average is worth.
    [{ epochs: 6, evalFreq: 9, swaStart: 3, swaCEpochs: 2 }, 'E-- --- -A- --- -A- E-S'],
    [{ epochs: 3, evalFreq: 9, swaStart: 3 }, 'E-- --- EAS'],
    [{ epochs: 3, evalFreq: 1, swaStart: 1, swa: false }, 'E-- E-- E--'],
  ])('%j', (given, expected) => {
    expect(decisions({ ...settings, ...given }).join(' ')).toBe(expected);
  });
});

test('every evaluated model costs one pass of the test loader: two draws', () => {
  const drawn = (epoch: number): number => {
    const g = manualSeed(5);
    const after = forkGenerator(g);
    drawEvaluations(epoch, settings, after);
    return [0, 2, 4].find((n) => {
      const guess = forkGenerator(g);
      skipU32(guess, n);
      return Buffer.from(generatorState(guess)).equals(generatorState(after));
    })!;
  };
  expect([0, 1, 4, 159, 160, 164, 199].map(drawn)).toEqual([2, 0, 2, 2, 0, 4, 4]);
});
