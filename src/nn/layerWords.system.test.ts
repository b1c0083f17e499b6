import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { fixturesDirectory } from '../fixtures.ts';
import { layerWords } from './layerWords.ts';
import { type ModelName, models } from './models/index.ts';

const python = ['python3', '/usr/bin/python3'].find(
  (p) => spawnSync(p, ['-c', 'import torch']).status === 0,
);

/** Every module of PyTorch's model in our words, from the module's own attributes. */
const script = `
import json, sys
sys.path.insert(0, sys.argv[1])
from torch import nn
from reference_export.models import build

def of(m):
    if isinstance(m, nn.Conv2d):
        parts = [f"conv {m.kernel_size[0]}×{m.kernel_size[1]}", f"{m.in_channels} → {m.out_channels}"]
        parts += [f"stride {m.stride[0]}"] if m.stride[0] > 1 else []
        parts += [f"padding {m.padding[0]}"] if m.padding[0] > 0 else []
        return ", ".join(parts + ([] if m.bias is not None else ["no bias"]))
    if isinstance(m, nn.BatchNorm2d):
        return f"batchNorm, eps {m.eps:.0e}".replace("e-0", "e-")
    if isinstance(m, nn.Linear):
        return f"linear, {m.in_features} → {m.out_features}"
    if isinstance(m, nn.Dropout):
        return f"dropout {m.p:g}"
    if isinstance(m, nn.ReLU):
        return "relu"
    for kind, name in ((nn.MaxPool2d, "max"), (nn.AvgPool2d, "average")):
        if isinstance(m, kind):
            return f"{name} pool {m.kernel_size}×{m.kernel_size}"

def leaves(model):
    return {k: of(m) for k, m in model.named_modules() if not list(m.children()) and not isinstance(m, nn.Sequential)}

print(json.dumps({name: leaves(build(name, 1)) for name in sys.argv[2:]}))
`;

test.skipIf(python === undefined)(
  'says of every layer of every model what PyTorch’s module is (needs PyTorch)',
  () => {
    const names = Object.keys(models) as ModelName[];
    const { stdout, stderr } = spawnSync(python!, ['-c', script, fixturesDirectory, ...names], {
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
      env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
    });
    expect(stdout, stderr).not.toBe('');
    const theirs = JSON.parse(stdout);
    for (const name of names) {
      const words = [...layerWords(models[name].build(10))];
      const layers = words.filter(([, text]) => !text.includes(' + '));
      expect(Object.fromEntries(layers), name).toEqual(theirs[name]);
    }
  },
);
