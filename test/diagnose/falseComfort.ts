import { judgeProbes } from '../../src/align/probes/judgeProbes.ts';
import { isGiven } from '../../src/align/reference/probe.ts';
import type { ProbeReference } from '../../src/align/reference/probeReference.ts';
import { hypotheses } from '../../src/diagnose/hypotheses/index.ts';
import { diagnosedPortBy } from '../../src/diagnose/port.ts';
import { uniforms } from '../../src/diagnose/testdata/uniforms.ts';
import { type TensorMap, tensor, toFloat32 } from '../../src/tensor/tensor.ts';
import { perturbed } from './smoothFields.ts';

/** Of fewer numbers, much is a permutation of much. */
const fewest = 8;

/** What was said of a perturbation that no row may explain. */
export interface Comfort {
  readonly row: string;
  readonly tensor: string;
  readonly what: string;
  readonly says: string;
}

/** Perturbs one tensor of a right recording at a time, `count` that fail, and asks every row of the table alone. */
export function falseComfort(
  reference: ProbeReference,
  right: TensorMap,
  count: number,
  seed: number,
): Comfort[] {
  const next = uniforms(seed);
  const probes = reference.probes.filter(
    (probe) =>
      !isGiven(probe) &&
      right.get(probe.name)?.dtype === 'float32' &&
      right.get(probe.name)!.data.length >= fewest,
  );
  const found: Comfort[] = [];
  for (let failures = 0; failures < count; ) {
    const { name } = probes[Math.floor(next() * probes.length)];
    const { shape } = right.get(name)!;
    const { values, what } = perturbed(toFloat32(right.get(name)!), shape, next);
    const recording = new Map(right).set(name, tensor('float32', shape, values));
    const { verdicts } = judgeProbes(recording, reference, { only: [name], partial: true });
    const wrong = verdicts.filter((v) => v.checks.some((check) => !check.passed));
    // A tensor that is zero but for rounding passes as another such.
    if (wrong.length === 0) continue;
    failures++;
    for (const row of hypotheses) {
      const [verdict] = diagnosedPortBy([row], wrong, recording, reference, {});
      const { cause } = verdict;
      if (cause !== undefined) found.push({ row: row.name, tensor: name, what, says: cause.says });
    }
  }
  return found;
}
