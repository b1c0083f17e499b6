import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  forgetMachine,
  needsSwiftshader,
  swiftshader,
  withoutGpu,
  withSwiftshader,
} from '../../test/machine.ts';
import { ourCommand } from './testdata/commandProcess.ts';

const [node, ...command] = ourCommand;
const scratch = mkdtempSync(join(tmpdir(), 'swa-align-devices-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs the command line with these variables set. */
function cli(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(node, [...command, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

const noWebgpu = /^ort +webgpu +- {5}WebGPU does not run here: .*adapter.*$/m;
const diffOnGpu = ['diff', 'loss', '--model', 'vgg16', '--device', 'webgpu', '--out', scratch];

test('devices: every device with what runs there, or the reason why nothing does', () => {
  const { status, stdout, stderr } = cli(['devices'], withoutGpu);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ort +cpu +runs {2}ONNX Runtime [\d.]+, CPU$/m);
  expect(stdout).toMatch(
    /^ort +cpu-js +runs {2}ONNX Runtime [\d.]+, CPU, by the JavaScript binding$/m,
  );
  expect(stdout).toMatch(/^ort +cuda +- {5}\S/m);
  expect(stdout).toMatch(/^oracle +cpu +runs {2}float64 oracle/m);
  if (process.platform === 'linux') {
    expect(stdout).toMatch(noWebgpu);
    expect(stdout).toMatch(/^--backend ort --device auto takes cpu$/m);
  }
});

describe.skipIf(process.platform !== 'linux')('a machine without a GPU', () => {
  test('--device webgpu is one line and exit code 2, and nothing is written', () => {
    const { status, stdout, stderr } = cli(diffOnGpu, withoutGpu);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(readdirSync(scratch)).toEqual([]);
    expect(stderr).toMatch(
      /^opening ort …\nswa-align: WebGPU does not run here: [^\n]*; `swa-align devices` lists what runs here\n$/,
    );
  });

  test('so it is where the Vulkan loader cannot be loaded', () => {
    writeFileSync(join(scratch, 'libvulkan.so.1'), '');
    const { status, stderr } = cli(diffOnGpu, { LD_LIBRARY_PATH: scratch });
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^opening ort …\nswa-align: WebGPU does not run here: [^\n]*load Vulkan[^\n]*\n$/,
    );
  });
});

test('a device that nobody has heard of', () => {
  const { status, stderr } = cli(['diff', 'loss', '--device', 'abacus']);
  expect(status).toBe(2);
  expect(stderr).toBe(
    "swa-align: --device: 'abacus' is not one of auto, cpu, cpu-js, cuda, webgpu, tensorflow; `swa-align diff --help` lists the arguments\n",
  );
});

test.skipIf(swiftshader === undefined)(
  `a software GPU is listed as such, and auto does not take it${needsSwiftshader}`,
  () => {
    const { stdout } = cli(['devices'], withSwiftshader);
    expect(stdout).toMatch(/^ort +webgpu +runs {2}.*WebGPU on SwiftShader .*, a software GPU$/m);
    expect(stdout).toMatch(/^--backend ort --device auto takes cpu$/m);
  },
);

test.skipIf(swiftshader === undefined)(
  `a driver that whoever runs the tests has named does not reach them${needsSwiftshader}`,
  () => {
    const names = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'];
    const named = Object.fromEntries(names.map((name) => [name, swiftshader!]));
    forgetMachine(named);
    expect(cli(['devices'], named).stdout).toMatch(noWebgpu);
  },
);
