import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const inNode = (script: string, ...argv: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', path(script), ...argv], { encoding: 'utf8' });

/** As issue trackers of ports have it: 2,000 tensors, 200 MB. */
const tensors = 2000;

describe('judging a large recording', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'swa-align-large-'));
    const made = inNode('largeRecording.ts', dir, String(tensors));
    expect(made.status, made.stderr).toBe(0);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('takes less than three times its size of memory, Node and all', () => {
    const ours = join(dir, 'ours.safetensors');
    const size = statSync(ours).size;
    expect(size).toBeGreaterThan(200e6);
    const judged = inNode('peakMemory.ts', 'judge', ours, '--reference', join(dir, 'ref'));
    expect(judged.stdout, judged.stderr).toContain(`${tensors} tensors aligned with PyTorch`);
    const peak = Number(/peak (\d+) bytes/.exec(judged.stdout)?.[1]);
    expect(peak).toBeGreaterThan(size);
    expect(peak / size).toBeLessThan(2.5);
  });
});
