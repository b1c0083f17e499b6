import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { sha256Hex } from '../io/sha256.ts';
import { initPlan, type Module } from '../nn/module.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { bytesOf, type Tensor, type TensorMap } from '../tensor/tensor.ts';
import { manualSeed } from '../torch/generator.ts';
import { initialise } from '../torch/initialise.ts';
import type { Reference } from './reference.ts';
import type { ReferenceContext } from './stage.ts';
import { check, type Verdict } from './verdict.ts';

/** The weights PyTorch would build after manual_seed(seed). */
export const weightsFromSeed = (model: Module, seed: number): Map<string, Tensor<'float32'>> =>
  initialise(initPlan(model), manualSeed(seed));

/** Weights that a reference file carries itself, as `weights/<name>`, in place of those drawn from the seed. */
export const storedWeights = (arrays: TensorMap): TensorMap =>
  new Map(
    [...arrays]
      .filter(([key]) => key.startsWith('weights/'))
      .map(([key, value]) => [key.slice('weights/'.length), value]),
  );

/** Compares every tensor's SHA-256 with the manifest's: bit for bit, or not at all. */
export function judgeWeights(
  weights: TensorMap,
  expected: Readonly<Record<string, string>>,
  name = 'initial weights',
): Verdict {
  const names = Object.keys(expected);
  const missing = names.filter((n) => !weights.has(n));
  const extra = [...weights.keys()].filter((n) => !Object.hasOwn(expected, n));
  if (missing.length > 0) return { name, checks: [], problem: `${missing[0]} is missing` };
  if (extra.length > 0) return { name, checks: [], problem: `${extra[0]} is not in the reference` };
  const differing = names.filter((n) => sha256Hex(bytesOf(weights.get(n)!)) !== expected[n]);
  const note =
    differing.length === 0
      ? `${names.length} tensors, by SHA-256`
      : `differ: ${differing.join(', ')}`;
  return { name, checks: [check('equal', differing.length, 0, { note })] };
}

/**
 * The weights the reference was recorded with: read from its own file, or drawn anew from its seed. Throws
 * InputError when a file's are not those of the model.
 */
function recordedWeights({ manifest, model, dir, arrays }: Reference): TensorMap {
  const { seed, file } = manifest.weights;
  if (file === undefined) return weightsFromSeed(model, seed!);
  const found = arrays(file);
  const misfit = (what: string): InputError =>
    new InputError(what, {
      where: join(dir, file),
      fix: 'record a model with the parameters of ours',
    });
  for (const { name, shape } of model.state) {
    const stored = found.get(name);
    if (stored === undefined) throw misfit(`holds no ${name}, which ${manifest.model} has`);
    if (stored.dtype !== 'float32' || !sameShape(stored.shape, shape)) {
      const [is, wanted] = [stored.shape, shape].map(formatShape);
      throw misfit(`${name} is ${stored.dtype} ${is}, ${manifest.model} has float32 ${wanted}`);
    }
  }
  return found;
}

/** The weights a stage starts from, and the verdict on them. */
export function startingWeights({ reference, weights }: ReferenceContext): {
  readonly weights: TensorMap;
  readonly verdict: Verdict;
} {
  const { sha256 } = reference.manifest.weights;
  const found = weights ?? recordedWeights(reference);
  return { weights: found, verdict: judgeWeights(found, sha256) };
}
