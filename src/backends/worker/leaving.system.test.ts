import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('testdata/leave.ts', import.meta.url));

/** Runs the script under tsx, as the commands run from source. */
function leave(how: string) {
  const { status, signal, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, how], {
    encoding: 'utf8',
  });
  return { status, signal, stderr };
}

test('a backend that is not closed does not keep the process', () => {
  expect(leave('idle')).toEqual({ status: 0, signal: null, stderr: '' });
});

test('process.exit amid a run waits for its end instead of tearing the process down', () => {
  expect(leave('exit')).toEqual({ status: 3, signal: null, stderr: '' });
});

test('so does an error that nobody caught', () => {
  const { status, signal, stderr } = leave('throw');
  expect({ status, signal }).toEqual({ status: 1, signal: null });
  expect(stderr).toContain('Error: on purpose');
  expect(stderr).not.toContain('Napi');
});
