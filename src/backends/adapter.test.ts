import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adapterOf, mayHaveGpu } from './adapter.ts';

test.each([
  ['NVIDIA H100 80GB HBM3', 'real'],
  ['AMD Radeon RX 7900 XTX (RADV NAVI31)', 'real'],
  ['Intel(R) UHD Graphics 770 (ADL-S GT1)', 'real'],
  ['SwiftShader Device (Subzero)', 'software'],
  ['llvmpipe (LLVM 15.0.6, 256 bits)', 'software'],
  ['Microsoft Basic Render Driver', 'software'],
])('%s is %s', (name, kind) => {
  expect(adapterOf(name, 'linux')).toEqual({ name, kind });
});

test('a GPU without a name may be software, except on Metal', () => {
  expect(adapterOf(undefined, 'linux').kind).toBe('unknown');
  expect(adapterOf(undefined, 'win32').kind).toBe('unknown');
  expect(adapterOf(undefined, 'darwin').kind).toBe('real');
});

test.each([
  ['nvidia0', true],
  ['dri/renderD128', true],
  ['dxg', true],
  ['dri/card0', false],
  ['nvidia-uvm', false],
  ['tty0', false],
])('a Linux with /dev/%s: a GPU is possible: %s', (file, expected) => {
  const dev = mkdtempSync(join(tmpdir(), 'swa-align-dev-'));
  try {
    mkdirSync(join(dev, 'dri'));
    writeFileSync(join(dev, file), '');
    expect(mayHaveGpu('linux', dev)).toBe(expected);
  } finally {
    rmSync(dev, { recursive: true });
  }
});

test('a Linux without device files has none, another system may', () => {
  expect(mayHaveGpu('linux', join(tmpdir(), 'swa-align-nowhere'))).toBe(false);
  expect(mayHaveGpu('darwin')).toBe(true);
});
