import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { weightsFromSeed } from '../src/align/seedWeights.ts';
import { sha256Hex } from '../src/io/sha256.ts';
import { type ModelName, modelName, models } from '../src/nn/models/index.ts';
import { bytesOf } from '../src/tensor/tensor.ts';

const names = Object.keys(models) as ModelName[];

const python = ['python3', '/usr/bin/python3'].find(
  (p) => spawnSync(p, ['-c', 'import torch']).status === 0,
);

/** Every parameter and buffer of PyTorch's model after manual_seed(3), with its digest. */
const script = `
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
from reference_export.models import build
print(json.dumps([[k, list(v.shape), hashlib.sha256(v.numpy().tobytes()).hexdigest()]
    for k, v in build(sys.argv[2], 3).state_dict().items() if not k.endswith('num_batches_tracked')]))
`;

describe('models', () => {
  it.each(names)('%s has the parameter count of its paper’s configuration', (name) => {
    const parameters = models[name]
      .build(10)
      .state.filter((s) => s.role === 'parameter')
      .map(({ shape }) => shape.reduce((n, d) => n * d, 1));
    // 3×3 convolutions D or E, two hidden layers of 512 and ten classes; batch norm adds 2 a channel
    const convolutions = name.startsWith('vgg16') ? 14_714_688 : 20_024_384;
    const channels = name.startsWith('vgg16') ? 4224 : 5504;
    const batchNorm = name.endsWith('bn') ? 2 * channels : 0;
    const classifier = 2 * (512 * 512 + 512) + 512 * 10 + 10;
    expect(parameters.reduce((a, b) => a + b)).toBe(convolutions + batchNorm + classifier);
  });

  it('are found by the original’s spelling, and an unknown one is refused', () => {
    expect(modelName('VGG16BN')).toBe('vgg16bn');
    expect(() => modelName('VGG11')).toThrow(/VGG11.*VGG19BN/);
  });

  it.skipIf(python === undefined).each(names)(
    '%s has PyTorch’s names, order, shapes and initial weights bit for bit (needs PyTorch)',
    (name) => {
      const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
      const { stdout } = spawnSync(python!, ['-c', script, fixtures, name], { maxBuffer: 2 ** 24 });
      const ours = [...weightsFromSeed(models[name].build(10), 3)].map(([key, t]) => [
        key,
        t.shape,
        sha256Hex(bytesOf(t)),
      ]);
      expect(ours).toEqual(JSON.parse(stdout.toString()));
    },
  );
});
