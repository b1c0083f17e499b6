/** A backend in a process of its own, with backends that run anywhere. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agree, agreementCases } from '../../../../test/support/backendAgainstOracle.ts';
import { DeviceError, GraphError, UsageError } from '../../../errors.ts';
import { add, input } from '../../../ir/build.ts';
import type { Program } from '../../../program/program.ts';
import { scalar, tensor } from '../../../tensor/tensor.ts';
import type { Backend } from '../../backend.ts';
import { longInputs, longProgram } from '../testdata/longProgram.ts';
import { backendIn } from '../workerBackend.ts';
import { processBackend } from './processBackend.ts';
import { complaints, vulkanDevice } from './processNotes.ts';
import { startProcess } from './startProcess.ts';

let backend: Backend;
beforeAll(async () => {
  ({ backend } = await processBackend('ort', { threads: 1 }));
});
afterAll(() => backend.close?.());

const [counter, step] = [input('counter', [2]), input('step', [])];
const program: Program = {
  name: 'counting',
  inputs: new Map([['step', step]]),
  state: new Map([['counter', { current: counter, next: add(counter, step) }]]),
  fetches: new Map(),
};
const one = new Map([['step', scalar(1)]]);

test('agrees with the oracle on every op: tensors of every type cross', async () => {
  expect(await agree(backend, agreementCases(1))).toEqual([]);
});

test('carries state from run to run, and errors as what they are', async () => {
  const executable = await backend.compile(program, []);
  const state = await backend.upload(
    new Map([['counter', tensor('float32', [2], Float32Array.of(0, 5))]]),
  );
  for (let i = 0; i < 3; i++) await executable.run(state, one);
  expect((await backend.download(state)).get('counter')!.data).toEqual(Float32Array.of(3, 8));
  await expect(executable.run(state, new Map())).rejects.toThrow(GraphError);
  await backend.free(state);
  await expect(executable.run(state, one)).rejects.toThrow('state counter is missing');
  await expect(processBackend('abacus', {})).rejects.toThrow(UsageError);
});

test.each([
  ['killed', 'SIGKILL'],
  ['aborted, as by an exception in native code that nobody caught', 'SIGABRT'],
] as const)(
  'one that is %s is an error in one line, and this process goes on',
  async (_, signal) => {
    const far = startProcess('ort', { threads: 1 });
    const doomed = await backendIn(far, 'ort', 'process');
    const executable = await doomed.compile(longProgram(), ['y']);
    const running = executable.run(new Map(), longInputs());
    const outcome = expect(running).rejects.toThrow(
      new RegExp(
        `^the process that the ort backend ran in ended \\(${signal}.*\\); start the command`,
      ),
    );
    await setTimeout(100);
    process.kill(far.pid!, signal);
    await outcome;
    await expect(doomed.upload(new Map())).rejects.toThrow(DeviceError);
    await doomed.close?.();
  },
);

test('a Ctrl-C, which reaches it too, does not end it', async () => {
  const far = startProcess('ort', { threads: 1 });
  const there = await backendIn(far, 'ort', 'process');
  process.kill(far.pid!, 'SIGINT');
  process.kill(far.pid!, 'SIGTERM');
  await setTimeout(100);
  expect((await there.upload(new Map([['x', scalar(1)]]))).size).toBe(1);
  await there.close?.();
});

test('when whoever started it is killed, it goes too', async () => {
  const script = fileURLToPath(new URL('testdata/holdProcess.ts', import.meta.url));
  const parent = spawn(process.execPath, ['--import', 'tsx', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  for (let i = 0; i < 200 && isAlive(pid); i++) await setTimeout(50);
  expect(isAlive(pid)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('what the Vulkan loader says: the device it opened, and what went wrong', () => {
  const opened = [
    'INFO | DRIVER:               [0] SwiftShader Device (Subzero)  ',
    'DRIVER:              <Device>',
    'DRIVER:                  Using "SwiftShader Device (Subzero)" with driver: "/usr/lib/chromium/./libvk_swiftshader.so"',
  ];
  expect(vulkanDevice(opened)).toBe('SwiftShader Device (Subzero)');
  expect(complaints(opened)).toEqual([]);
  const failed = [
    'DRIVER:              Found the following files:',
    'ERROR:            loader_get_json: Failed to open JSON file /nonexistent.json',
    'Warning: vkCreateInstance: Found no drivers!',
  ];
  expect(vulkanDevice(failed)).toBeUndefined();
  expect(complaints(failed)).toEqual([
    'loader_get_json: Failed to open JSON file /nonexistent.json',
    'vkCreateInstance: Found no drivers!',
  ]);
});
