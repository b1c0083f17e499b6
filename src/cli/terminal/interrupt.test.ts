import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Interrupted } from '../../errors.ts';
import { interruptedCode } from '../failure.ts';
import { onInterrupt } from './interrupt.ts';

let stop: AbortController;
let release: () => void;
let told: number;
const kill = vi.spyOn(process, 'kill');
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  kill.mockReset().mockReturnValue(true);
  stop = new AbortController();
  told = 0;
  release = onInterrupt({ stop, because: { what: 'interrupted' }, tell: () => told++ });
});
afterEach(() => {
  release();
  vi.useRealTimers();
});

const send = (signal: NodeJS.Signals): boolean => process.emit(signal, signal);

test.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s stops with exit code %i, as a shell has it', (signal, code) => {
  send(signal);
  expect(stop.signal.reason).toBeInstanceOf(Interrupted);
  expect(interruptedCode(stop.signal.reason)).toBe(code);
  expect(told).toBe(1);
});

test('the echo of a Ctrl-C, which npm sends on, is no second one', () => {
  send('SIGINT');
  vi.advanceTimersByTime(500);
  send('SIGINT');
  expect(kill).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  send('SIGINT');
  expect(kill.mock.calls).toEqual([[process.pid, 'SIGINT']]);
  expect(told).toBe(1);
});

test('nobody hangs up twice to end the process at once', () => {
  send('SIGHUP');
  vi.advanceTimersByTime(60_000);
  send('SIGHUP');
  expect(kill).not.toHaveBeenCalled();
});

test('nothing is left behind', () => {
  release();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    expect(process.listeners(signal).map(({ name }) => name)).not.toContain('asked');
  }
});
