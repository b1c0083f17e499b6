import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError } from '../../errors.ts';
import { printable } from '../../io/names.ts';
import { readNpy } from '../../io/numpy/npy.ts';
import { readNpz } from '../../io/numpy/npz.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { type ModelName, modelName, models } from '../../nn/models/index.ts';
import type { Preparation } from '../../nn/models/preparation.ts';
import type { Network } from '../../nn/module.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { type Manifest, manifestSchema, type SectionName } from './manifest.ts';
import { unpacked } from './packed.ts';
import { referenceRemedy } from './referenceRemedy.ts';

export { fixturesDirectory } from '../../fixtures.ts';

/** A directory of recorded PyTorch results, checked against its manifest as it is read. */
export interface Reference {
  readonly dir: string;
  readonly manifest: Manifest;
  readonly model: Network;
  readonly preparation: Preparation;
  /** A stage's section of the manifest. Throws InputError when the reference does not hold it. */
  stage<S extends SectionName>(name: S): NonNullable<Manifest['stages'][S]>;
  /** The arrays of one of its npz files. */
  arrays(file: string): TensorMap;
  /** An array of the fixed inputs, as `inputs/fake_data.npy`. */
  input(path: string): Tensor;
  /** The directory of the synthetic set, its files' hashes checked. */
  syntheticDirectory(): string;
}

function verified(path: string, expected: string | undefined): Uint8Array {
  const bytes = readFileOrFail(path, { fix: referenceRemedy(path) });
  if (expected === undefined) {
    throw new InputError('is not in the manifest', { where: path, fix: referenceRemedy(path) });
  }
  const found = sha256Hex(bytes);
  if (found !== expected) {
    throw new InputError(
      `SHA-256 is ${found.slice(0, 12)}…, the manifest says ${expected.slice(0, 12)}…: another or a damaged file`,
      { where: path, fix: referenceRemedy(path) },
    );
  }
  return bytes;
}

function readManifest(path: string): Manifest {
  const text = new TextDecoder().decode(readFileOrFail(path, { fix: referenceRemedy(path) }));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError('is not JSON', { where: path, fix: referenceRemedy(path) });
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`${issue.path.join('.') || 'manifest'}: ${issue.message}`, {
    where: path,
    fix: referenceRemedy(path),
  });
}

/** The same function, each argument's value kept: files are read, checked and inflated once. */
function once<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

/** Our name of the model that a manifest is about. */
function recordedModel({ model }: Manifest, where: string): ModelName {
  const name = model.toLowerCase();
  if (Object.hasOwn(models, name)) return name as ModelName;
  throw new InputError(`is about a model "${printable(model)}", which this package does not have`, {
    where,
    fix: `record one of ${Object.keys(models).join(', ')}`,
  });
}

/**
 * Opens a reference directory. Its inputs lie two directories up (`fixtures/` for
 * `fixtures/reference/vgg16`). Throws InputError when something is missing, damaged or altered, or when
 * it is the reference of another model than `expectedModel`, where one is expected.
 */
export function openReference(dir: string, expectedModel?: string): Reference {
  if (!existsSync(dir)) {
    throw new InputError('there is no such reference directory', {
      where: dir,
      fix: referenceRemedy(dir),
    });
  }
  const manifestPath = join(dir, 'manifest.json');
  const manifest = readManifest(manifestPath);
  const name = recordedModel(manifest, manifestPath);
  if (expectedModel !== undefined && name !== modelName(expectedModel)) {
    throw new InputError(`is a reference of ${manifest.model}, not of ${expectedModel}`, {
      where: dir,
      fix: `give --model ${manifest.model} or another --reference`,
    });
  }
  const root = resolve(dir, '..', '..');
  const arrays = once((file: string) => {
    const path = join(dir, file);
    return unpacked(readNpz(verified(path, manifest.files[file]), path), path);
  });
  const input = once((path: string) => {
    const full = join(root, path);
    return readNpy(verified(full, manifest.inputs[path]), full);
  });
  return {
    dir,
    manifest,
    model: models[name].build(manifest.classes),
    preparation: models[name].preparation,
    stage<S extends SectionName>(stageName: S) {
      const section = manifest.stages[stageName];
      if (section === undefined) {
        const why = manifest.left_out?.[stageName];
        const when = why === undefined ? '' : `: it was left out when this was recorded, ${why}`;
        throw new InputError(`holds no ${stageName} stage${when}`, {
          where: manifestPath,
          fix: referenceRemedy(dir),
        });
      }
      return section as NonNullable<Manifest['stages'][S]>;
    },
    arrays,
    input,
    syntheticDirectory() {
      for (const [path, digest] of Object.entries(manifest.inputs)) {
        if (path.startsWith('synthetic/')) verified(join(root, path), digest);
      }
      return join(root, 'synthetic');
    },
  };
}

/** An array of a reference file. Throws InputError naming file and key when it is missing. */
export function arrayOf(arrays: TensorMap, key: string, where: string): Tensor {
  const found = arrays.get(key);
  if (found === undefined) {
    throw new InputError(`holds no array ${key}`, { where, fix: referenceRemedy(where) });
  }
  return found;
}
