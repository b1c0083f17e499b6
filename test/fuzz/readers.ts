import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { openReference } from '../../src/align/reference/reference.ts';
import { cifar10, imageBytes, readCifar10 } from '../../src/data/cifar.ts';
import { tiny, tinyFiles } from '../../src/data/download/testdata/archives.ts';
import { unpack } from '../../src/data/download/unpack.ts';
import { readNpy } from '../../src/io/numpy/npy.ts';
import { parseNpyHeader } from '../../src/io/numpy/npyHeader.ts';
import { readNpz, writeNpz } from '../../src/io/numpy/npz.ts';
import { readReprodLog, writeReprodLog } from '../../src/io/numpy/reprodLog.ts';
import { unpickle } from '../../src/io/pickle/pickle.ts';
import { plainGlobals } from '../../src/io/pickle/pickleGlobals.ts';
import { recordingOf } from '../../src/io/recording.ts';
import { readSafetensors } from '../../src/io/safetensors/safetensors.ts';
import { weightsOf } from '../../src/io/weights.ts';
import { openKeptPoints } from '../../src/landscape/keptPoints.ts';
import { sizeOf } from '../../src/tensor/shape.ts';
import { bytesOf, bytesPerElement, type Tensor, type TensorMap } from '../../src/tensor/tensor.ts';
import { readCheckpoint, writeCheckpoint } from '../../src/train/checkpoint/checkpoint.ts';
import { configFile, readModelConfig } from '../../src/train/checkpoint/modelConfig.ts';
import { landscapeSettings } from './seeds.ts';

/**
 * Reads a file of one format and says what is wrong with the answer, or undefined. `dir` is empty and its
 * own, and what the reader leaves in it is looked at afterwards. A refusal is thrown.
 */
type Reader = (bytes: Uint8Array, dir: string) => string | undefined | Promise<string | undefined>;

const where = 'damaged file';

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const illFormed = ({ dtype, shape, data }: Tensor): boolean =>
  data.length !== sizeOf(shape) || data.BYTES_PER_ELEMENT !== bytesPerElement[dtype];

const sameMaps = (a: TensorMap, b: TensorMap): boolean =>
  isDeepStrictEqual([...a.keys()], [...b.keys()]) &&
  [...a].every(([name, t]) => {
    const other = b.get(name)!;
    return (
      t.dtype === other.dtype &&
      isDeepStrictEqual(t.shape, other.shape) &&
      same(bytesOf(t), bytesOf(other))
    );
  });

/** Well-formed tensors, which come back as they are when `again` writes and reads them. */
function wrongTensors(
  tensors: TensorMap,
  again?: (tensors: TensorMap) => TensorMap,
): string | undefined {
  for (const [name, t] of tensors) if (illFormed(t)) return `${name} is ill-formed`;
  if (again !== undefined && !sameMaps(tensors, again(tensors)))
    return 'does not come back the same';
  return undefined;
}

/** Little-endian numbers in C order lie in the file as they are; bools are brought to 0 and 1. */
function wrongNpy(bytes: Uint8Array): string | undefined {
  const t = readNpy(bytes, where);
  const { descr, fortran, dataOffset } = parseNpyHeader(bytes, where);
  if (illFormed(t)) return 'is ill-formed';
  const plain = !fortran && !descr.startsWith('>') && t.dtype !== 'bool';
  return plain && !same(bytesOf(t), bytes.subarray(dataOffset))
    ? 'is not what the file holds'
    : undefined;
}

/** Against the header, read a second time by JSON alone. */
function wrongSafetensors(bytes: Uint8Array): string | undefined {
  const { tensors } = readSafetensors(bytes, where);
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + size)).toString('utf8'));
  for (const [name, t] of tensors) {
    if (illFormed(t)) return `${name} is ill-formed`;
    const { shape, data_offsets: offsets } = header[name];
    const stored = bytes.subarray(8 + size + offsets[0], 8 + size + offsets[1]);
    if (!isDeepStrictEqual(t.shape, shape)) return `${name} has another shape`;
    if (t.dtype !== 'bool' && !same(bytesOf(t), stored))
      return `${name} is not what the file holds`;
  }
  return undefined;
}

function put(dir: string, name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

function wrongCheckpoint(bytes: Uint8Array, dir: string): string | undefined {
  const checkpoint = readCheckpoint(put(dir, 'a.safetensors', bytes));
  const copy = join(dir, 'b.safetensors');
  writeCheckpoint(copy, checkpoint);
  return isDeepStrictEqual(readCheckpoint(copy), checkpoint)
    ? undefined
    : 'does not come back the same';
}

function wrongCifar(bytes: Uint8Array, dir: string): string | undefined {
  put(dir, join(cifar10.folder, 'test_batch.bin'), bytes);
  const { count, images, labels, classes } = readCifar10(dir, 'test');
  if (count * (1 + imageBytes) !== bytes.byteLength) return 'has another number of images';
  for (let i = 0; i < count; i++) {
    const record = bytes.subarray(i * (1 + imageBytes), (i + 1) * (1 + imageBytes));
    if (labels[i] !== record[0] || labels[i] >= classes.length) return `label ${i} is wrong`;
    if (!same(images.subarray(i * imageBytes, (i + 1) * imageBytes), record.subarray(1))) {
      return `image ${i} is wrong`;
    }
  }
  return undefined;
}

/** Whether it unpacks or not, nothing but the data set's own files may appear, and only in the target. */
async function wrongArchive(bytes: Uint8Array, dir: string): Promise<string | undefined> {
  const file = put(dir, 'archive.tar.gz', bytes);
  const into = join(dir, 'outer', 'target');
  mkdirSync(into, { recursive: true });
  const refusal: unknown = await unpack(tiny, file, into, AbortSignal.timeout(60_000)).then(
    () => undefined,
    (error: unknown) => error,
  );
  const allowed = ['archive.tar.gz', 'outer', join('outer', 'target')];
  const names = Object.keys(tinyFiles).map((name) => join('outer', 'target', name));
  const found = readdirSync(dir, { recursive: true }) as string[];
  const stray = found.find((path) => !allowed.includes(path) && !names.includes(path));
  if (stray !== undefined) return `wrote ${stray}`;
  if (refusal !== undefined) throw refusal;
  for (const [name, content] of Object.entries(tinyFiles)) {
    if (readFileSync(join(into, name)).byteLength !== content.byteLength)
      return `${name} has another size`;
  }
  return undefined;
}

function wrongManifest(bytes: Uint8Array, dir: string): string | undefined {
  const path = put(dir, 'manifest.json', bytes);
  const { manifest, model } = openReference(join(path, '..'));
  const stored = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (manifest.model !== stored.model) return 'names another model';
  return model.state.length > 0 ? undefined : 'has a model without weights';
}

function wrongModelConfig(bytes: Uint8Array, dir: string): string | undefined {
  const folder = join(put(dir, join('a', configFile), bytes), '..');
  const config = readModelConfig(folder);
  const again = join(put(dir, join('b', configFile), Buffer.from(JSON.stringify(config))), '..');
  return isDeepStrictEqual(readModelConfig(again), config)
    ? undefined
    : 'does not come back the same';
}

/** Whoever goes on with a landscape writes to its file: a refused one must stay as it was. */
function wrongPoints(bytes: Uint8Array, dir: string): string | undefined {
  const path = put(dir, 'plane.points.jsonl', bytes);
  try {
    const { points } = openKeptPoints(path, landscapeSettings);
    return isDeepStrictEqual(openKeptPoints(path, landscapeSettings).points, points)
      ? undefined
      : 'does not come back the same';
  } catch (refusal) {
    if (!same(readFileSync(path), bytes)) return 'was refused, and changed all the same';
    throw refusal;
  }
}

/** Weights are among what a recording of the same file holds. */
function wrongTorch(bytes: Uint8Array): string | undefined {
  const { tensors } = recordingOf(bytes, where);
  const wrong = wrongTensors(tensors);
  if (wrong !== undefined) return wrong;
  const { tensors: weights } = weightsOf(bytes, where);
  for (const [name, t] of weights) {
    const found = [...tensors].some(
      ([path, other]) => path.endsWith(name) && same(bytesOf(t), bytesOf(other)),
    );
    if (!found) return `${name} is no part of the recording`;
  }
  return undefined;
}

export const readers = {
  npy: wrongNpy,
  npz: (bytes) =>
    wrongTensors(readNpz(bytes, where), (tensors) => readNpz(writeNpz(tensors), where)),
  reprod_log: (bytes) =>
    wrongTensors(readReprodLog(bytes, where), (tensors) =>
      readReprodLog(writeReprodLog(tensors), where),
    ),
  pickle: (bytes) => {
    unpickle(bytes, where, { globals: new Map(plainGlobals) });
    return undefined;
  },
  pt: wrongTorch,
  'legacy pt': wrongTorch,
  safetensors: wrongSafetensors,
  checkpoint: wrongCheckpoint,
  cifar: wrongCifar,
  'cifar archive': wrongArchive,
  manifest: wrongManifest,
  'model config': wrongModelConfig,
  'landscape points': wrongPoints,
} as const satisfies Record<string, Reader>;

export type ReaderName = keyof typeof readers;

/** A directory of a run's own below `root`. */
export const freshDirectory = (root: string): string => mkdtempSync(join(root, 'run-'));
