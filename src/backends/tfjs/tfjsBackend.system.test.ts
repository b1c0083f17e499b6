import { expect, it } from 'vitest';
import { UsageError } from '../../errors.ts';
import { scalar, tensor } from '../../tensor/tensor.ts';
import type { DeviceState } from '../backend.ts';
import { openBackend } from '../choose.ts';
import { testDevice } from './testdata/deviceTests.ts';
import { withWrongAdjoint } from './testdata/withWrongAdjoint.ts';
import { tfjsBackend } from './tfjsBackend.ts';

await testDevice('cpu');

it('says what is missing or does not fit', async () => {
  const backend = await tfjsBackend();
  await expect(tfjsBackend({ device: 'abacus' })).rejects.toThrow(
    'the tfjs backend has no device "abacus"; choose one of cpu, webgpu, tensorflow',
  );
  await expect(tfjsBackend({ grad: 'guess' })).rejects.toThrow(UsageError);
  const state: DeviceState = new Map([['w', { shape: [2] }]]);
  await expect(backend.download(state)).rejects.toThrow('w was not uploaded to TensorFlow.js');
  await expect(backend.download(new Map(), ['v'])).rejects.toThrow('there is no state called v');
  const labels = new Map([['n', tensor('int64', [1], BigInt64Array.of(2n ** 31n))]]);
  await expect(backend.upload(labels)).rejects.toThrow('n holds 2147483648, too large for int32');
});

it('runs in a thread of its own, its gradients known there too', async () => {
  const backend = await openBackend('tfjs', { device: 'cpu' });
  const executable = await backend.compile(withWrongAdjoint(), ['x.grad']);
  const results = await executable.run(new Map(), new Map([['x', scalar(3)]]));
  expect(results.get('x.grad')).toEqual(tensor('float32', [], Float32Array.of(6)));
  await backend.close?.();
});

it.each(['ort', 'oracle'])('%s has neither its devices nor its derivative rules', async (name) => {
  await expect(openBackend(name, { device: 'tensorflow' })).rejects.toThrow(
    `the ${name} backend has no device "tensorflow"`,
  );
  await expect(openBackend(name, { grad: 'own' })).rejects.toThrow(
    `the ${name} backend has no derivative rules of its own`,
  );
});
