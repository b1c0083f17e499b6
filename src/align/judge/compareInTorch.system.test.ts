import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonHas } from '../../../test/support/pythons.ts';
import { readRecording } from '../../io/recording.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { usualTolerance } from '../measure/allclose.ts';
import { type MeasureName, measures } from '../measure/measures.ts';
import { compareRecordings } from './compareRecordings.ts';

interface Said {
  readonly cosine: number;
  readonly relative: number;
  readonly ulp?: number;
  readonly assert_close: boolean;
  readonly mismatch: { readonly beyond: number; readonly index: readonly number[] } | null;
  /** Rounding in the arrays' own type may decide it. */
  readonly edge: boolean;
  readonly tolerances: readonly {
    readonly rtol: number;
    readonly atol: number;
    readonly torch: boolean;
    readonly numpy: boolean | null;
    readonly edge: boolean;
  }[];
}

const hasTorch = pythonHas(['numpy', 'torch']);
const script = fileURLToPath(new URL('./testdata/compare_in_torch.py', import.meta.url));

describe.skipIf(!hasTorch)('measures in NumPy and PyTorch (needs both)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'swa-align-compare-in-torch-'));
  let said: [string, Said][];
  let ours: TensorMap;
  let theirs: TensorMap;

  beforeAll(() => {
    const { stdout, stderr, status } = spawnSync('python3', [script, dir], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    said = Object.entries(JSON.parse(stdout) as Record<string, Said>);
    ours = readRecording(join(dir, 'ours.pt')).tensors;
    theirs = readRecording(join(dir, 'theirs.pt')).tensors;
  }, 60_000);
  afterAll(() => rmSync(dir, { recursive: true }));

  const found = (name: string, measure: MeasureName, tolerance = { rtol: 0, atol: 0 }): number =>
    measures[measure].value(ours.get(name)!, theirs.get(name)!, tolerance);

  it('relative error and cosine, to the digits that float64 keeps', () => {
    for (const [name, { cosine, relative }] of said) {
      expect(Math.abs(found(name, 'relative') - relative), name).toBeLessThanOrEqual(
        1e-12 * relative,
      );
      // PyTorch's own 1 - cos has lost all digits below a float64's rounding of 1.
      expect(Math.abs(found(name, 'cosine') - cosine), name).toBeLessThanOrEqual(1e-14);
    }
  });

  it('units in the last place of four types', () => {
    const counted = said.filter(([, { ulp }]) => ulp !== undefined);
    expect(counted.length).toBe(36);
    for (const [name, { ulp }] of counted) {
      expect(Math.abs(found(name, 'ulp') - ulp!), name).toBeLessThanOrEqual(2 ** -52 * ulp!);
    }
  });

  it('assert_close, by its own tolerances for every type', () => {
    const clear = said.filter(([, { edge }]) => !edge);
    const passed = clear.map(([name, { assert_close }]) => {
      const share = found(name, 'allclose', usualTolerance(theirs.get(name)!));
      expect(share <= 1, name).toBe(assert_close);
      return assert_close;
    });
    expect(new Set(passed).size, 'some pass and some do not').toBe(2);
    expect(clear.length).toBeGreaterThan(50);
  });

  it('how many elements assert_close finds off, and the one that NumPy finds furthest off', () => {
    const off = said.filter(([, { edge, mismatch }]) => !edge && mismatch !== null);
    for (const [name, { mismatch }] of off) {
      const [a, b] = [ours, theirs].map((side) => ({
        tensors: new Map([[name, side.get(name)!]]),
        unread: new Map(),
        notes: [],
      }));
      const worst = (method: MeasureName) => {
        const options = { methods: [method], threshold: method === 'max' ? 0 : 1 };
        return compareRecordings(a, b, options).verdicts[0].worst;
      };
      expect(worst('allclose')?.beyond, name).toBe(mismatch?.beyond);
      expect(worst('max')?.index, name).toEqual(mismatch?.index);
    }
    expect(off.length).toBeGreaterThan(10);
  });

  it('allclose and assert_close, by tolerances that are given', () => {
    const cases = said.flatMap(([name, { tolerances }]) =>
      tolerances.filter(({ edge }) => !edge).map((asked) => ({ name, ...asked })),
    );
    for (const { name, rtol, atol, torch, numpy } of cases) {
      const within = found(name, 'allclose', { rtol, atol }) <= 1;
      expect(within, `${name}, ${rtol}, ${atol}`).toBe(torch);
      if (numpy !== null) expect(within, `${name}, ${rtol}, ${atol}`).toBe(numpy);
    }
    expect(new Set(cases.map(({ torch }) => torch)).size).toBe(2);
    expect(cases.length).toBeGreaterThan(200);
  });
});
