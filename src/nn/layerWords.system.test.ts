import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { fixturesDirectory } from '../fixtures.ts';
import { layerWords } from './layerWords.ts';
import { type ModelName, models } from './models/index.ts';

const python = pythonWith('torch');

/** Every module of PyTorch's model as it prints itself, beside what our words make in PyTorch. */
const script = `
import json, sys
sys.path.insert(0, sys.argv[1])
from torch import nn
from reference_export.models import build

def leaves(model):
    return {k: repr(m) for k, m in model.named_modules() if not list(m.children()) and not isinstance(m, nn.Sequential)}

words = json.load(sys.stdin)
made = {name: {layer: repr(eval(text, vars(nn))) for layer, text in layers.items()} for name, layers in words.items()}
print(json.dumps({name: [made[name], leaves(build(name, 1))] for name in words}))
`;

import { pythonWith } from '../../test/support/pythons.ts';

type Printed = Record<string, [Record<string, string>, Record<string, string>]>;

test.skipIf(python === undefined)(
  'says of every layer of every model what PyTorch’s module is (needs PyTorch)',
  () => {
    const ours = Object.fromEntries(
      (Object.keys(models) as ModelName[]).map((name) => {
        const words = [...layerWords(models[name].build(10))];
        return [name, Object.fromEntries(words.filter(([, text]) => !text.includes(' + ')))];
      }),
    );
    const { stdout, stderr } = spawnSync(python!, ['-c', script, fixturesDirectory], {
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
      input: JSON.stringify(ours),
    });
    expect(stdout, stderr).not.toBe('');
    for (const [name, [made, theirs]] of Object.entries(JSON.parse(stdout) as Printed)) {
      expect(made, name).toEqual(theirs);
    }
  },
);
