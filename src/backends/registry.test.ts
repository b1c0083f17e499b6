import { expect, test } from 'vitest';
import { DeviceError, GraphError, UsageError } from '../errors.ts';
import { oracleBackend } from './oracle/oracleBackend.ts';
import { backends, openInProcess, orElse } from './registry.ts';

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

test('a device that does not run here is replaced, and no other failure is hidden', async () => {
  const failing = (error: Error) => () => Promise.reject(error);
  const second = async () => ({ ...oracleBackend(), description: 'the second' });
  const first = async () => ({ ...oracleBackend(), description: 'the first' });
  expect((await orElse(first, second)({})).description).toBe('the first');
  const missing = failing(new DeviceError('koffi does not load'));
  expect((await orElse(missing, second)({})).description).toBe('the second');
  const wrong = new GraphError('two inputs of one name');
  await expect(orElse(failing(wrong), second)({})).rejects.toBe(wrong);
});

test('the CPU says by its description when it is the JavaScript binding', async () => {
  const { description } = await openInProcess('ort', { device: 'cpu-js' });
  expect(description).toMatch(/^ONNX Runtime [\d.]+, CPU, by the JavaScript binding$/);
});
