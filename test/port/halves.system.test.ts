import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecording } from '../../src/io/recording.ts';
import { judge } from '../../src/port/judgeWithCauses.ts';
import { openReference } from '../../src/port/openReference.ts';
import { elementType } from '../../src/tensor/tensor.ts';
import { hasRecorderTorch } from '../support/pythons.ts';

const script = fileURLToPath(new URL('halves.py', import.meta.url));

/* What PyTorch computes in few digits is held against float64 all the same. */

describe.skipIf(!hasRecorderTorch)('networks in half precision (needs PyTorch 2.1)', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'swa-align-halves-'));
    const made = spawnSync('python3', [script, dir], { encoding: 'utf8' });
    expect(made.status, made.stderr).toBe(0);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const reference = (name: string) => openReference(join(dir, name));
  const judged = (name: string, way: string) =>
    judge(readRecording(join(dir, `${name}.${way}.npz`)).tensors, reference(name), {
      partial: true,
    });

  describe.each([
    ['float16', 'float16'],
    ['bfloat16', 'bfloat16'],
    ['around', 'bfloat16'],
    ['inside', 'bfloat16'],
  ])('%s', (name, type) => {
    it('records each tensor in its own type', () => {
      const { probe, whole } = reference(name);
      const output = probe('fc1.output');
      expect(output.dtype).toBe(type);
      expect(elementType(whole(output))).toBe(type);
      const weights = ['around', 'inside'].includes(name) ? 'float32' : type;
      expect(probe('fc1.weight').dtype).toBe(weights);
      expect(elementType(whole(probe('initial/fc1.weight')))).toBe(weights);
    });

    it.each(['float32', 'rounded'])('passes a port that computes otherwise: %s', (way) => {
      const { passed, message, verdicts } = judged(name, way);
      expect(passed, message).toBe(true);
      expect(verdicts.length).toBeGreaterThan(50);
    });

    it('fails at the layer in which a mistake is planted, and all else inherits it', () => {
      const { diverges } = judged(name, 'wrong');
      // In the second step chance has its say: with so few digits a weight's own error may hide in its rounding.
      const names = diverges.map((v) => v.name);
      expect(names.filter((n) => !n.startsWith('step1/'))).toEqual(['norm.output']);
    });
  });
});
