import { describe, expect, test } from 'vitest';
import { expectState, torchVectors } from '../../test/vectors/torchVectors.ts';
import {
  batchCount,
  batchGenerator,
  batchOrder,
  evaluationPassDraws,
  planEpoch,
  startEpoch,
} from './dataLoader.ts';
import { forkGenerator, generatorState, manualSeed, nextU32, skipU32 } from './generator.ts';

test('a shuffled pass as PyTorch begins it', () => {
  const { base_seed, sampler_seed, batches, state_after } = torchVectors.workers2;
  const g = manualSeed(1);
  const plan = startEpoch(g, { size: 1000, shuffle: true, workers: 2 });
  expect([String(plan.baseSeed), String(plan.samplerSeed)]).toEqual([base_seed, sampler_seed]);
  expectState(g, state_after);
  batches.forEach(({ indices_head }, k) => {
    expect(Array.from(batchOrder(plan, k, 128).subarray(0, 4))).toEqual(indices_head);
  });
});

test('a pass is made again from its seeds', () => {
  for (const shuffle of [true, false]) {
    const options = { size: 57, shuffle, workers: 3 };
    const plan = startEpoch(manualSeed(6), options);
    const { order: _, workers: __, ...seeds } = plan;
    expect(planEpoch(seeds, options)).toEqual(plan);
  }
});

test('an unshuffled pass is in order and draws two values', () => {
  const g = manualSeed(8);
  const skipped = forkGenerator(g);
  const plan = startEpoch(g, { size: 5, shuffle: false, workers: 0 });
  expect(Array.from(plan.order)).toEqual([0, 1, 2, 3, 4]);
  expect(plan.samplerSeed).toBeUndefined();
  evaluationPassDraws(skipped);
  expect(generatorState(g)).toEqual(generatorState(skipped));
});

test('batches cover the pass, the last one short', () => {
  const plan = startEpoch(manualSeed(2), { size: 10, shuffle: true, workers: 0 });
  expect(batchCount(10, 4)).toBe(3);
  const batches = [0, 1, 2].map((k) => Array.from(batchOrder(plan, k, 4)));
  expect(batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
  expect(batches.flat()).toEqual(Array.from(plan.order));
});

describe('the generator of a batch', () => {
  test('is the main one without workers', () => {
    const g = manualSeed(2);
    const plan = startEpoch(g, { size: 10, shuffle: true, workers: 0 });
    expect(batchGenerator(plan, 1, 12, g)).toBe(g);
  });

  test('is its worker’s, past the batches that this worker loaded before', () => {
    const g = manualSeed(2);
    const plan = startEpoch(g, { size: 100, shuffle: true, workers: 3 });
    const worker = manualSeed(plan.baseSeed + 1n);
    for (const k of [1, 4, 7]) {
      expect(nextU32(batchGenerator(plan, k, 12, g))).toBe(nextU32(forkGenerator(worker)));
      skipU32(worker, 12);
    }
  });
});
