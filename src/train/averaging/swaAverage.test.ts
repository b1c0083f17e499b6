import { expect, test } from 'vitest';
import { tinyBackend, tinyModel } from '../../../test/trainTinyRun.ts';
import { initPlan } from '../../nn/module.ts';
import { type Tensor, toFloat64 } from '../../tensor/tensor.ts';
import { manualSeed } from '../../torch/generator.ts';
import { initialise } from '../../torch/initialise.ts';
import { compileAverage, emptyAverage, joinAverage } from './swaAverage.ts';

test('trap: average in float32 or better: 40 models, their mean to the last bits', async () => {
  const generator = manualSeed(1);
  const models = Array.from({ length: 40 }, () => initialise(initPlan(tinyModel), generator));
  const average = await emptyAverage(tinyBackend, tinyModel);
  const executable = await compileAverage(tinyBackend, tinyModel);
  for (const weights of models) {
    const state = await tinyBackend.upload(weights);
    await joinAverage(average, executable, tinyModel, state, generator);
  }
  expect(average.averaged).toBe(40);
  const averaged = await tinyBackend.download(average.state);
  for (const { name, role } of tinyModel.state) {
    if (role === 'buffer') continue;
    const found = averaged.get(name)!;
    expect(found.dtype).toBe('float32');
    const parts = models.map((weights) => toFloat64(weights.get(name) as Tensor));
    toFloat64(found).forEach((value, i) => {
      const mean = parts.reduce((sum, part) => sum + part[i], 0) / parts.length;
      const size = Math.max(...parts.map((part) => Math.abs(part[i])));
      expect(Math.abs(value - mean)).toBeLessThanOrEqual(3e-7 * size);
    });
  }
  await executable.dispose();
});

test('the first model replaces whatever the average began with', async () => {
  const weights = initialise(initPlan(tinyModel), manualSeed(2));
  const average = await emptyAverage(tinyBackend, tinyModel);
  const executable = await compileAverage(tinyBackend, tinyModel);
  const state = await tinyBackend.upload(weights);
  await joinAverage(average, executable, tinyModel, state, manualSeed(3));
  const averaged = await tinyBackend.download(average.state, ['features.0.weight']);
  expect(averaged.get('features.0.weight')!.data).toEqual(weights.get('features.0.weight')!.data);
  await executable.dispose();
});
