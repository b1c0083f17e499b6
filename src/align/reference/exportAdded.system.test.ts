import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pythonHas } from '../../../test/support/pythons.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { readNpzFile } from '../../io/numpy/npz.ts';
import { unpacked } from './packed.ts';

const model = 'vgg16';
/** The files that the reference is made of, without those of stages that nothing is added to. */
const files = ['manifest.json', 'ops.npz', 'weights.npz'];

/**
 * Takes arrays away from stage *ops* and from the initial weights, and changes what is left of both and of the
 * manifest, as if another machine had recorded it.
 */
const cut = `
import json, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[1])
folder = Path(sys.argv[2])
from reference_export.arrays import pack, sha256_file, unpack
content = json.loads((folder / "manifest.json").read_text())

def changed(value):
    return value + 1 if value.dtype.kind in "fiu" else value

for name, gone in ("ops", "AdamW"), ("weights", "classifier.6."):
    path = folder / f"{name}.npz"
    values = unpack(dict(np.load(path)))
    kept = {key: changed(value) for key, value in values.items() if gone not in key}
    assert 0 < len(kept) < len(values), name
    np.savez(path, **kept)
    content["files"][path.name] = sha256_file(path)

def without(tree, gone):
    if not isinstance(tree, dict):
        return tree
    return {key: without(value, gone) for key, value in tree.items() if not key.startswith(gone)}

ops = content["stages"]["ops"]
content["stages"]["ops"] = without(ops, "AdamW") | {"noise": {"worst": 0.5, "worst_at": "elsewhere", "median": 0.25}}
content["weights"] = without(content["weights"], "classifier.6.")
content["weights"]["sha256"]["features.0.weight"] = "0" * 64
content["numpy"] = "1.21"
(folder / "manifest.json").write_text(json.dumps(content))
`;

function python(...words: readonly string[]): void {
  const { status, stderr } = spawnSync('python3', words, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

const manifestIn = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));

test.skipIf(!pythonHas(['numpy', 'torch']))(
  'what the exporter adds to a reference leaves everything else as it was (needs PyTorch)',
  () => {
    const out = mkdtempSync(join(tmpdir(), 'added-'));
    try {
      const recorded = join(fixturesDirectory, 'reference', model);
      const folder = join(out, 'reference', model);
      mkdirSync(folder, { recursive: true });
      for (const file of files) cpSync(join(recorded, file), join(folder, file));
      python('-B', '-c', cut, fixturesDirectory, folder);
      const arraysOf = (name: string) => {
        const path = join(folder, `${name}.npz`);
        return unpacked(readNpzFile(path), path);
      };
      const before = { ops: arraysOf('ops'), weights: arraysOf('weights') };
      const manifest = manifestIn(folder);

      const exporter = join(fixturesDirectory, 'export_reference.py');
      python('-B', exporter, '--add', 'ops', 'weights', '--model', model, '--out', out);

      for (const name of ['ops', 'weights'] as const) {
        const after = arraysOf(name);
        const path = join(recorded, `${name}.npz`);
        expect([...after.keys()].sort()).toEqual(
          [...unpacked(readNpzFile(path), path).keys()].sort(),
        );
        for (const [key, value] of before[name]) expect(after.get(key), key).toEqual(value);
      }
      const added = manifestIn(folder);
      const of = manifestIn(recorded);
      // What was taken away is there again; the files are others.
      expect(Object.keys(added.weights.sha256).sort()).toEqual(
        Object.keys(of.weights.sha256).sort(),
      );
      expect(added.weights.sha256).toMatchObject(manifest.weights.sha256);
      expect(added.stages.ops).toMatchObject(manifest.stages.ops);
      expect(added.stages.ops.noise).toEqual(manifest.stages.ops.noise);
      expect(Object.keys(added.stages.ops.optimizers)).toEqual(
        expect.arrayContaining(Object.keys(of.stages.ops.optimizers)),
      );
      const rest = ({
        stages: { ops: _, ...stages },
        weights: _w,
        files: all,
        ...more
      }: typeof of) => {
        const { 'ops.npz': _o, 'weights.npz': _f, ...others } = all;
        return { ...more, stages, files: others };
      };
      expect(rest(added)).toEqual(rest(manifest));

      // Nothing is lacking any more: nothing is written but what is there.
      const bytes = files.map((file) => readFileSync(join(folder, file), 'hex'));
      python('-B', exporter, '--add', 'ops', 'weights', '--model', model, '--out', out);
      expect(files.map((file) => readFileSync(join(folder, file), 'hex'))).toEqual(bytes);
    } finally {
      rmSync(out, { recursive: true });
    }
  },
);
