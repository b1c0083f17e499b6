import { expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { backends, openInProcess } from './registry.ts';

test('a precision that a device does not have is refused, whatever the backend', async () => {
  for (const [name, devices] of Object.entries(backends)) {
    for (const device of Object.keys(devices).filter((one) => one !== 'cuda')) {
      const opening = openInProcess(name, { device, precision: 'tf32' });
      await expect(opening, `${name} ${device}`).rejects.toThrow(
        new UsageError(`${name} on ${device} computes in float32 alone`, {
          where: '--precision tf32',
          fix: 'leave it out, or choose --device cuda',
        }),
      );
    }
  }
});

test('every backend has a CPU, where --device auto ends', () => {
  for (const devices of Object.values(backends)) expect(devices).toHaveProperty('cpu.gpu', 'no');
});
