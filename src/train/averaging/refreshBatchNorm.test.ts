import { expect, test } from 'vitest';
import { tinyBackend, tinyModel } from '../../../test/trainTinyRun.ts';
import { initPlan } from '../../nn/module.ts';
import { type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { manualSeed, nextU32 } from '../../torch/generator.ts';
import { initialise } from '../../torch/initialise.ts';
import { refreshBatchNorm, refreshPrograms } from './refreshBatchNorm.ts';

const features = 'features.1.running_mean';

/** `count` images, all of one brightness and a little noise. */
function images(count: number, brightness: number): Tensor<'float32'> {
  const g = manualSeed(count);
  const pixels = Float32Array.from(
    { length: count * 3072 },
    () => brightness + (nextU32(g) % 1000) / 1e4,
  );
  return tensor('float32', [count, 3, 32, 32], pixels);
}

/** The first layer's running mean after a refresh from batches; what was there before must not matter. */
async function refreshed(batches: readonly Tensor<'float32'>[]): Promise<Float64Array> {
  const weights = new Map<string, Tensor>(initialise(initPlan(tinyModel), manualSeed(1)));
  const stale = weights.get(features)!;
  weights.set(features, tensor('float32', stale.shape, Float32Array.of(7, -7, 70, -70)));
  const state = await tinyBackend.upload(weights);
  const programs = refreshPrograms(tinyBackend, tinyModel);
  await refreshBatchNorm(tinyBackend, tinyModel, programs, state, batches);
  const found = await tinyBackend.download(state, [features]);
  await tinyBackend.free(state);
  return toFloat64(found.get(features)!);
}

test('trap: the refresh weights batches by size (the last one is short)', async () => {
  const [first, second, last] = [images(8, 0.1), images(8, 0.2), images(4, 3)];
  const all = await refreshed([first, second, last]);
  const [a, b, c] = [await refreshed([first]), await refreshed([second]), await refreshed([last])];
  all.forEach((mean, channel) => {
    const bySize = (8 * a[channel] + 8 * b[channel] + 4 * c[channel]) / 20;
    const byBatch = (a[channel] + b[channel] + c[channel]) / 3;
    expect(Math.abs(mean - bySize)).toBeLessThan(1e-5 * Math.abs(bySize));
    // The mistake would be seen: the short batch is another.
    expect(Math.abs(mean - byBatch)).toBeGreaterThan(1e-2 * Math.abs(bySize));
  });
});
