import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import { readRecording } from '../../src/io/recording.ts';
import { judge } from '../../src/port/judgeWithCauses.ts';
import { openReference } from '../../src/port/openReference.ts';

/** Milliseconds that Python may take on a machine that has other work. */
const slowest = 600_000;

/** What a script beside this file records, for the tests of a block: `judged` one of its mistakes in one of its networks. */
export function madeInTorch(script: string) {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'swa-align-made-'));
    const path = fileURLToPath(new URL(script, import.meta.url));
    const made = spawnSync('python3', [path, dir], { encoding: 'utf8' });
    expect(made.status, made.stderr).toBe(0);
  }, slowest);
  afterAll(() => rmSync(dir, { recursive: true }));

  return (network: string, mistake: string) => {
    const { tensors } = readRecording(join(dir, `${network}.${mistake}.npz`));
    return judge(tensors, openReference(join(dir, network)), { partial: true });
  };
}
