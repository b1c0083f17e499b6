import { InputError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type FileFormat, fileFormat } from './fileFormat.ts';
import { type Arrays, isUnread, quoted, type UnreadArray } from './numpy/arrays.ts';
import { openNpy, unnamedArray } from './numpy/npy.ts';
import { parseNpyHeader } from './numpy/npyHeader.ts';
import { openNpz } from './numpy/npz.ts';
import { openReprodLog } from './numpy/reprodLog.ts';
import { partOf } from './part.ts';
import { readFileOrFail } from './readFile.ts';
import { readSafetensors } from './safetensors/safetensors.ts';
import { openTorchCheckpoint } from './torch/torchCheckpoint.ts';

/** Names in a row, each of its own: `{0: …, '0': …}` is two entries in Python. */
function distinct(names: readonly string[]): string[] {
  const uses = new Map<string, number>();
  const taken = new Set<string>();
  return names.map((name) => {
    let use = uses.get(name) ?? 0;
    let own: string;
    do {
      use++;
      own = use === 1 ? name : `${name} (${use})`;
    } while (taken.has(own));
    uses.set(name, use);
    taken.add(own);
    return own;
  });
}

/** Every tensor under `key` in a file of torch.save, by its path. What is not a tensor is said. */
function openTorchPart(bytes: Uint8Array, where: string, key: string | undefined): Arrays {
  const { leaves, read } = openTorchCheckpoint(bytes, where);
  const all = leaves();
  const names = distinct(all.map(({ path = unnamedArray }) => path));
  const part = partOf(names, key, where);
  const tensors = new Map<string, Tensor>();
  const unread = new Map<string, UnreadArray>();
  const others: string[] = [];
  for (const [i, { value }] of all.entries()) {
    const name = part.names.get(names[i]);
    if (name === undefined) continue;
    const found = read(names[i], value);
    if (found === undefined) others.push(name);
    else if (isUnread(found)) unread.set(name, found);
    else tensors.set(name, found);
  }
  const what = others.length === 1 ? 'is left out: no tensor' : 'are left out: no tensors';
  const left = others.length === 0 ? [] : [`${quoted(others)} ${what}`];
  return { tensors, unread, notes: [...part.notes, ...left] };
}

/** Of a file that is read at once. */
function take({ tensors, unread, notes }: Arrays, where: string, key: string | undefined): Arrays {
  const part = partOf([...tensors.keys(), ...unread.keys()], key, where);
  const renamed = <T>(map: ReadonlyMap<string, T>): Map<string, T> =>
    new Map(
      [...map].flatMap(([name, value]): [string, T][] => {
        const found = part.names.get(name);
        return found === undefined ? [] : [[found, value]];
      }),
    );
  return {
    tensors: renamed(tensors),
    unread: renamed(unread),
    notes: [...notes, ...part.notes],
  };
}

type Open = (bytes: Uint8Array, where: string, key: string | undefined) => Arrays;

const openers: { readonly [F in FileFormat]: Open } = {
  torch: openTorchPart,
  safetensors: (bytes, where, key) => {
    const { tensors } = readSafetensors(bytes, where);
    return take({ tensors, unread: new Map(), notes: [] }, where, key);
  },
  npz: (bytes, where, key) => take(openNpz(bytes, where), where, key),
  npy: (bytes, where, key) => {
    const pickled = parseNpyHeader(bytes, where).descr === '|O';
    return take((pickled ? openReprodLog : openNpy)(bytes, where), where, key);
  },
};

/** What of a file is read. */
export interface RecordingOptions {
  /** The part of it that is wanted: `swa_state_dict`, `optimizer/state/0/momentum_buffer`. */
  readonly key?: string;
}

/**
 * The arrays of a file, known by its content: of PyTorch, with tensors in dicts, lists and tuples of any depth,
 * each by its path (`optimizer/state/0/momentum_buffer`), safetensors, .npz, reprod_log's dict pickled into a
 * .npy, or a plain .npy as one array called `(array)`. Throws InputError naming `where`, and the array where
 * one is at fault; UsageError when it has nothing under `key`.
 */
export function recordingOf(
  bytes: Uint8Array,
  where: string,
  { key }: RecordingOptions = {},
): Arrays {
  const format = fileFormat(bytes, where);
  if (format !== undefined) return openers[format](bytes, where, key);
  throw new InputError('holds no arrays that can be read', {
    where,
    fix: 'name a file that torch.save, safetensors, NumPy or reprod_log wrote',
  });
}

/** Reads a file of arrays; see `recordingOf`. */
export const readRecording = (path: string, options: RecordingOptions = {}): Arrays =>
  recordingOf(readFileOrFail(path), path, options);
