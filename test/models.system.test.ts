import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { weightsFromSeed } from '../src/align/reference/seedWeights.ts';
import { sha256Hex } from '../src/io/sha256/sha256.ts';
import { type ModelName, modelName, models } from '../src/nn/models/index.ts';
import { initPlan } from '../src/nn/module.ts';
import { bytesOf, type TensorMap } from '../src/tensor/tensor.ts';
import { generatorState, manualSeed } from '../src/torch/generator.ts';
import { initialise } from '../src/torch/initialise.ts';

const names = Object.keys(models) as ModelName[];

const python = pythonWith('torch');

type Tensors = readonly (readonly [name: string, shape: readonly number[], digest: string])[];

/** Every parameter and buffer of PyTorch's models after manual_seed(3), with its digest. */
const script = `
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
from reference_export.models import build, state
print(json.dumps({name: [[k, list(v.shape), hashlib.sha256(v.numpy().tobytes()).hexdigest()]
    for k, v in state(build(name, 3)).items()] for name in sys.argv[2:]}))
`;

import { pythonWith } from './support/pythons.ts';

function inPyTorch(): Readonly<Record<ModelName, Tensors>> {
  const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
  const { stdout } = spawnSync(python!, ['-c', script, fixtures, ...names], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout.toString());
}

/** What make_model_vectors.py beside it recorded. */
interface ModelVectors {
  readonly seed: number;
  readonly classes: number;
  readonly models: Readonly<
    Record<
      ModelName,
      { readonly tensors: number; readonly sha256: string; readonly generator_sha256: string }
    >
  >;
}

const vectors = JSON.parse(
  readFileSync(new URL('./vectors/model-vectors.json', import.meta.url), 'utf8'),
) as ModelVectors;

/** One digest over every tensor's name, shape and digest. */
const digestOf = (tensors: TensorMap): string =>
  sha256Hex(
    new TextEncoder().encode(
      [...tensors]
        .map(([name, t]) => `${name} ${t.shape.join()} ${sha256Hex(bytesOf(t))}\n`)
        .join(''),
    ),
  );

/** Weights as published for each architecture with ten classes, counted from its paper's tables. */
const parameterCounts: Readonly<Record<ModelName, number>> = {
  vgg16: 14_714_688 + vggClassifier(),
  vgg16bn: 14_714_688 + 2 * 4224 + vggClassifier(),
  vgg19: 20_024_384 + vggClassifier(),
  vgg19bn: 20_024_384 + 2 * 5504 + vggClassifier(),
  preresnet110: preResNetCount(12),
  preresnet164: preResNetCount(18),
  wideresnet28x10: 36_489_290,
};

/** Two hidden layers of 512 and ten classes. */
function vggClassifier(): number {
  return 2 * (512 * 512 + 512) + 512 * 10 + 10;
}

/** Stem, three stages of n bottlenecks, the last normalisation, ten classes. */
function preResNetCount(blocks: number): number {
  const block = (from: number, inner: number): number =>
    2 * (from + inner + inner) + from * inner + 9 * inner * inner + inner * 4 * inner;
  const stage = (from: number, inner: number): number =>
    from * 4 * inner + block(from, inner) + (blocks - 1) * block(4 * inner, inner);
  return 27 * 16 + stage(16, 16) + stage(64, 32) + stage(128, 64) + 2 * 256 + 256 * 10 + 10;
}

describe('models', () => {
  it.each(names)('%s has the parameter count of its paper’s configuration', (name) => {
    const parameters = models[name]
      .build(10)
      .state.filter((s) => s.role === 'parameter')
      .map(({ shape }) => shape.reduce((n, d) => n * d, 1));
    expect(parameters.reduce((a, b) => a + b)).toBe(parameterCounts[name]);
  });

  it.each(names)('%s of 100 classes draws what PyTorch draws', (name) => {
    const expected = vectors.models[name];
    const g = manualSeed(vectors.seed);
    const weights = initialise(initPlan(models[name].build(vectors.classes)), g);
    expect(weights.size).toBe(expected.tensors);
    expect(digestOf(weights)).toBe(expected.sha256);
    expect(sha256Hex(generatorState(g))).toBe(expected.generator_sha256);
  });

  it('are found by the original’s spelling, and an unknown one is refused', () => {
    expect(modelName('VGG16BN')).toBe('vgg16bn');
    expect(() => modelName('VGG11')).toThrow(/VGG11.*VGG19BN.*WideResNet28x10/);
  });

  describe.skipIf(python === undefined)('in PyTorch (needs PyTorch)', () => {
    let theirs: Readonly<Record<ModelName, Tensors>>;
    beforeAll(() => {
      theirs = inPyTorch();
    }, 120_000);

    it.each(names)('%s has the same names, order, shapes and weights bit for bit', (name) => {
      const ours = [...weightsFromSeed(models[name].build(10), 3)].map(([key, t]) => [
        key,
        t.shape,
        sha256Hex(bytesOf(t)),
      ]);
      expect(ours).toEqual(theirs[name]);
    });
  });
});
