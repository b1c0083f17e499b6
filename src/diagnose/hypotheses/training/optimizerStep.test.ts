import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recorded } from '../../../align/reference/recorded.ts';
import { openReference } from '../../../align/reference/reference.ts';
import { fixturesDirectory } from '../../../fixtures.ts';
import { tensor } from '../../../tensor/tensor.ts';
import { diagnosed } from '../../diagnose.ts';
import { stepsOfOps } from '../../optimizer/recordedSteps.ts';
import type { State } from '../../optimizer/rule.ts';
import { ruleOf } from '../../optimizer/rules.ts';
import type { Evidence, Suspect } from '../../suspect.ts';
import { smoothly } from '../../testdata/told.ts';

const reference = openReference(join(fixturesDirectory, 'reference', 'vgg16'), 'vgg16');
const steps = stepsOfOps(reference);
const arrays = reference.arrays(reference.stage('ops').file);
const optimizers = ['SGD with Nesterov', 'Adam', 'AdamW'];

/** The recorded steps by a rule with something changed. */
function run(optimizer: string, change: (how: object) => object): State {
  const { settings, weight, gradients } = steps(`${optimizer}/weight`)!;
  const rule = ruleOf(settings.kind)!;
  const how = change(rule.right(settings) as object);
  return gradients.reduce<State>((state, g, k) => rule.step(how, state, g, k + 1), { weight });
}

const inFloat32 = (values: Float64Array) =>
  tensor('float32', [values.length], Float32Array.from(values));

/** What is said of the weight and the slots that a step left, PyTorch's recorded ones being the reference. */
function told(optimizer: string, ours: State): (string | undefined)[] {
  const { results } = steps(`${optimizer}/weight`)!;
  const suspects = Object.entries(results).map(
    ([key, name]): Suspect => ({
      name,
      shape: [ours[key].length],
      record: recorded(arrays, name)!,
      ours: inFloat32(ours[key]),
      limit: 5e-6,
    }),
  );
  const evidence: Evidence = {
    held: (name) => suspects.find((s) => s.name === name),
    alike: () => [],
    ours: (name) => suspects.find((s) => s.name === name)?.ours,
    from: () => [],
    steps,
  };
  const failed = suspects.map(({ name }) => ({
    name,
    checks: [{ method: 'relative l2' as const, value: 1, threshold: 0, passed: false }],
  }));
  const by = ({ name }: { name: string }) => suspects.find((s) => s.name === name);
  return diagnosed(failed, by, evidence).map(({ cause }) => cause?.says);
}

describe('a step computed again', () => {
  it.each(optimizers)('%s is PyTorch’s float64', (optimizer) => {
    const state = run(optimizer, (how) => how);
    for (const [key, name] of Object.entries(steps(`${optimizer}/weight`)!.results)) {
      const truth = recorded(arrays, name)!.truth.data;
      state[key].forEach((x, i) => {
        expect(x).toBeCloseTo(Number(truth[i]), 9 - Math.log10(1 + Math.abs(x)));
      });
    }
  });

  it.each(optimizers)(
    '%s: each change is told as itself, or as one that does the same',
    (optimizer) => {
      const { settings } = steps(`${optimizer}/weight`)!;
      const rule = ruleOf(settings.kind)!;
      const right = rule.right(settings) as object;
      for (const { says, how } of rule.variants(right)) {
        const ours = run(optimizer, (r) => ({ ...r, ...(how as object) }));
        if (!Object.values(ours).every((values) => values.every(Number.isFinite))) continue;
        const plain = run(optimizer, (r) => r).weight;
        const off =
          Math.hypot(...ours.weight.map((x, i) => x - plain[i])) / Math.hypot(...plain) > 1e-4;
        if (off) expect(told(optimizer, ours)).toContain(says);
      }
    },
  );

  it.each(optimizers)('%s: numbers are solved for', (optimizer) => {
    const { settings } = steps(`${optimizer}/weight`)!;
    const rule = ruleOf(settings.kind)!;
    const right = rule.right(settings);
    for (const { what, used, how, says } of rule.chosen(right)) {
      if (used === 0) continue;
      const other = what.startsWith('beta') || what === 'momentum' ? 0.62 : 7 * used;
      const ours = run(optimizer, (r) => ({ ...r, ...(how(other) as object) }));
      const number = Number(other.toPrecision(3));
      const expected = says?.(number) ?? `fits ${what} ${number}, the reference used ${used}`;
      expect(told(optimizer, ours)[0], what).toBe(expected);
    }
  });

  it('no smooth perturbation is one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...optimizers),
        fc.constantFrom(1e-4, 1e-2, 0.3),
        fc.double({ min: 0, max: 6, noNaN: true }),
        (optimizer, size, phase) => {
          const right = run(optimizer, (how) => how);
          const ours = { ...right, weight: smoothly(right.weight, size, phase) };
          expect(told(optimizer, ours)[0] ?? '').not.toMatch(/step|decay|momentum|eps|beta|rate/);
        },
      ),
      { numRuns: 20 },
    );
  });
});
