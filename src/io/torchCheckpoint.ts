import { InputError } from '../errors.ts';
import { bytesPerElement, type Tensor } from '../tensor/tensor.ts';
import { memoryBudget } from './budget.ts';
import { normaliseBools, swapBytes } from './elements.ts';
import { printable } from './names.ts';
import { numpyGlobals } from './numpyPickle.ts';
import { unpickle } from './pickle.ts';
import { plainGlobals } from './pickleGlobals.ts';
import { isKind, type PickleDict, type PickleValue, pickleType } from './pickleValue.ts';
import { readFileOrFail } from './readFile.ts';
import { storedBytes } from './shapeCheck.ts';
import { extentOf, gather } from './strided.ts';
import { isTorchTensor, persistentStorage, type TorchTensor, torchGlobals } from './torchPickle.ts';
import { readZip, type ZipEntry } from './zip.ts';
import { isZip } from './zipDirectory.ts';

const FIX = 'save the state_dict alone: torch.save(model.state_dict(), path)';
// Older training scripts keep NumPy numbers (a best score) beside the weights.
const globals = new Map([...plainGlobals, ...torchGlobals, ...numpyGlobals]);

/** Whether the bytes begin as files of PyTorch before 1.6 do: a pickled magic number. */
export const isLegacyCheckpoint = (bytes: Uint8Array): boolean =>
  bytes.byteLength > 4 && bytes[0] === 0x80 && bytes[2] === 0x8a && bytes[3] === 0x0a;

type Complain = (what: string) => InputError;

/** The folder inside the archive that holds `data.pkl`, named after the file once saved. */
function findRoot(entries: ReadonlyMap<string, ZipEntry>, damaged: Complain): string {
  const found = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (found.length !== 1) throw damaged('is a zip, but not one that torch.save wrote');
  return found[0].slice(0, -'data.pkl'.length);
}

const holdsTensors = (dict: PickleDict): boolean => [...dict.entries.values()].some(isTorchTensor);

/** The dict of tensors itself, or the one under `key` beside an epoch number and the like. */
function findStateDict(root: PickleValue, key: string, damaged: Complain): PickleDict {
  if (!isKind(root, 'dict')) throw damaged(`holds ${pickleType(root)}, not a state_dict`);
  const nested = root.entries.get(key);
  if (isKind(nested, 'dict')) return nested;
  if (holdsTensors(root) || root.entries.size === 0) return root;
  const keys = [...root.entries.keys()].slice(0, 8).map(String);
  throw damaged(`has no '${key}' and no tensors, only ${printable(keys.join(', '))}`);
}

/**
 * A reader of described tensors. Storages are unpacked once each; views with any strides and offsets
 * are copied out into C order. The memory a file may unfold to is bounded.
 */
function tensorReader(
  entries: ReadonlyMap<string, ZipEntry>,
  root: string,
  fileBytes: number,
  damaged: Complain,
): (name: string, t: TorchTensor) => Tensor {
  const spend = memoryBudget(fileBytes, (limit) => damaged(`unfolds to more than ${limit}`));
  const order = entries.get(`${root}byteorder`);
  const bigEndian = order !== undefined && Buffer.from(order.read()).toString('latin1') === 'big';
  const storages = new Map<string, Uint8Array>();
  const storageBytes = (name: string, t: TorchTensor): Uint8Array => {
    const width = bytesPerElement[t.dtype];
    const id = `${t.storage.key}:${bigEndian ? width : ''}`;
    const known = storages.get(id);
    if (known !== undefined) return known;
    const entry = entries.get(`${root}data/${t.storage.key}`);
    if (entry === undefined)
      throw damaged(`the elements of '${printable(name)}' are not in the file`);
    let bytes = entry.read();
    if (bigEndian) {
      bytes = bytes.slice(0, bytes.byteLength - (bytes.byteLength % width));
      swapBytes(bytes, width);
    }
    storages.set(id, bytes);
    return bytes;
  };
  return (name, t) => {
    const size = storedBytes(t.dtype, t.shape);
    const stored = storageBytes(name, t);
    const layout = { shape: t.shape, strides: t.strides, offset: t.offset };
    if (size === undefined || extentOf(layout) * bytesPerElement[t.dtype] > stored.byteLength) {
      throw damaged(`tensor '${printable(name)}' reaches past its elements`);
    }
    spend(size);
    return normaliseBools(gather(t.dtype, stored, layout));
  };
}

export interface CheckpointOptions {
  /** Which state_dict to take from a checkpoint that holds several things. */
  readonly key?: string;
}

/**
 * Reads a file of torch.save (PyTorch 1.6 and later) that holds a state_dict, at the top or one
 * level down under `key` ('state_dict'), as name → C-order tensor in its order. Nothing else in the
 * file is run or unpacked. Throws InputError naming `where` for legacy files, pickled models,
 * dtypes without a tensor of ours, and damage.
 */
export function readTorchCheckpoint(
  bytes: Uint8Array,
  where: string,
  { key = 'state_dict' }: CheckpointOptions = {},
): Map<string, Tensor> {
  const damaged = (what: string) => new InputError(what, { where, fix: FIX });
  if (isLegacyCheckpoint(bytes)) {
    throw new InputError('is in the legacy format of PyTorch before 1.6', {
      where,
      fix: 'load and save it again with PyTorch 1.6 or later',
    });
  }
  if (!isZip(bytes)) throw damaged('is not a PyTorch checkpoint');
  const entries = readZip(bytes, where);
  const root = findRoot(entries, damaged);
  const pickled = entries.get(`${root}data.pkl`) as ZipEntry;
  const value = unpickle(pickled.read(), where, {
    globals,
    persistent: persistentStorage,
    fix: FIX,
  });
  const read = tensorReader(entries, root, bytes.byteLength, damaged);
  const tensors = new Map<string, Tensor>();
  for (const [name, item] of findStateDict(value, key, damaged).entries) {
    if (typeof name !== 'string') throw damaged(`has the key ${String(name)}, which is no name`);
    if (!isTorchTensor(item))
      throw damaged(`'${printable(name)}' is ${pickleType(item)}, not a tensor`);
    tensors.set(name, read(name, item));
  }
  return tensors;
}

/** Reads one checkpoint; throws InputError when it is missing, damaged or of another kind. */
export const readTorchCheckpointFile = (
  path: string,
  options: CheckpointOptions = {},
): Map<string, Tensor> => readTorchCheckpoint(readFileOrFail(path), path, options);
