import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { sha256Hex } from '../io/sha256.ts';
import { initPlan, type Module } from '../nn/module.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { bytesOf, type Tensor, type TensorMap, tensor } from '../tensor/tensor.ts';
import { manualSeed } from '../torch/generator.ts';
import { initialise } from '../torch/initialise.ts';
import type { Expectation } from './judge/expectation.ts';
import type { Reference } from './reference.ts';

type Digests = Readonly<Record<string, string>>;

import type { Part, PartRun, ReferenceContext } from './stage.ts';

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

/** A digest a row: what is compared where every bit counts. */
export function digestRows(digests: Iterable<string>): Tensor<'uint8'> {
  const rows = [...digests];
  return tensor('uint8', [rows.length, 32], Uint8Array.from(Buffer.from(rows.join(''), 'hex')));
}

const initialWeights = 'initial weights';

/** The digests of weights, those a reference names first and in its order. */
export function weightDigests(weights: TensorMap, expected: Digests): PartRun {
  const missing = Object.keys(expected).find((name) => !weights.has(name));
  if (missing !== undefined) {
    return { recording: new Map(), leftOut: new Map([[initialWeights, `${missing} is missing`]]) };
  }
  const extra = [...weights.keys()].filter((name) => !Object.hasOwn(expected, name));
  const names = [...Object.keys(expected), ...extra];
  const digests = names.map((name) => sha256Hex(bytesOf(weights.get(name)!)));
  return { recording: new Map([[initialWeights, digestRows(digests)]]) };
}

/** Every tensor to the bit, by its SHA-256. */
export const expectedWeights = (expected: Digests): Expectation => ({
  name: initialWeights,
  rule: {
    kind: 'equality',
    to: digestRows(Object.values(expected)),
    row: (i) => Object.keys(expected)[i] ?? 'a tensor that is not in the reference',
    what: `${Object.keys(expected).length} tensors, by SHA-256`,
  },
});

/** That a stage starts from PyTorch's weights. */
export const sameStart: Part = {
  run: async (context) =>
    weightDigests(startingWeights(context), context.reference.manifest.weights.sha256),
  expect: ({ reference }) => [expectedWeights(reference.manifest.weights.sha256)],
};

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

const drawn = new WeakMap<Reference, TensorMap>();

/** The weights a stage starts from: those given, or the reference's own, drawn once. */
export function startingWeights({ reference, weights }: ReferenceContext): TensorMap {
  const known = weights ?? drawn.get(reference);
  if (known !== undefined) return known;
  const found = recordedWeights(reference);
  drawn.set(reference, found);
  return found;
}
