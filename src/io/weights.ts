import { InputError, UsageError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type FileFormat, fileFormat } from './fileFormat.ts';
import { printable } from './names.ts';
import { isUnread, leftOut, quoted } from './numpy/arrays.ts';
import { openNpz } from './numpy/npz.ts';
import { isKind, type PickleValue, pickleType } from './pickle/pickleValue.ts';
import { readFileOrFail } from './readFile.ts';
import { readSafetensors } from './safetensors/safetensors.ts';
import { openTorchCheckpoint } from './torch/torchCheckpoint.ts';
import { torchPickles } from './torch/torchPickle.ts';
import {
  averageIsEmpty,
  isUsual,
  type WeightKind,
  type WeightSet,
  weightSetsOf,
} from './torch/weightSets.ts';

/** Which weights of a file are read. */
export interface WeightsOptions {
  /** The only one that will do. */
  readonly kind?: WeightKind;
  /** The one to take where a file holds both: `raw`. */
  readonly prefer?: WeightKind;
}

/** The weights of a file. */
export interface Weights {
  /** By name, in file order. */
  readonly tensors: Map<string, Tensor>;
  readonly kind: WeightKind;
  /** What was chosen and what left out: a sentence each. */
  readonly notes: readonly string[];
}

const other: { readonly [K in WeightKind]: WeightKind } = { swa: 'raw', raw: 'swa' };

/** Bare weights do not say what they are, but by AveragedModel's count. */
const isKnown = ({ key, kind }: Pick<WeightSet, 'key' | 'kind'>): boolean =>
  key !== undefined || kind === 'swa';

function oneSet(where: string, set: Pick<WeightSet, 'key' | 'kind'>): UsageError {
  const what = set.kind === 'swa' ? 'an average' : 'no average';
  return new UsageError(
    `holds one set of weights, ${isKnown(set) ? what : 'and does not say of which kind'}`,
    { where, fix: 'leave --weights out' },
  );
}

const labelOf = ({ key }: WeightSet): string =>
  key === undefined ? 'the file itself' : `'${printable(key)}'`;

/** The set that was asked for, or else preferred. */
function choose(
  sets: readonly WeightSet[],
  where: string,
  { kind, prefer = 'raw' }: WeightsOptions,
  empty: boolean,
): WeightSet {
  if (kind === undefined) return sets.find((set) => set.kind === prefer) ?? sets[0];
  const found = sets.find((set) => set.kind === kind && isKnown(set));
  if (found !== undefined) return found;
  if (kind === 'swa' && empty) {
    throw new UsageError('holds no average yet', { where, fix: 'give --weights raw' });
  }
  if (sets.length === 1) throw oneSet(where, sets[0]);
  throw new UsageError(`holds no ${kind} weights, only ${sets.map(labelOf).join(', ')}`, {
    where,
    fix: `give --weights ${other[kind]}`,
  });
}

function withoutWeights(root: PickleValue): string {
  if (isKind(root, 'opaque')) return `holds a pickled ${pickleType(root)}, not a state_dict`;
  if (!isKind(root, 'dict')) return `holds ${pickleType(root)}, not a state_dict`;
  const keys = [...root.entries.keys()].filter((key) => typeof key === 'string');
  return `holds no weights, only ${keys.length === 0 ? 'an empty dict' : quoted(keys)}`;
}

function torchWeights(bytes: Uint8Array, where: string, options: WeightsOptions): Weights {
  const unfit = (what: string) => new InputError(what, { where, fix: torchPickles.fix });
  const { root, read } = openTorchCheckpoint(bytes, where);
  const sets = weightSetsOf(root);
  if (sets.length === 0) throw unfit(withoutWeights(root));
  if (new Set(sets.map(({ kind }) => kind)).size < sets.length && !sets.some(isUsual)) {
    throw unfit(`holds several sets of weights: ${sets.map(labelOf).join(', ')}`);
  }
  const chosen = choose(sets, where, options, averageIsEmpty(root));
  const tensors = new Map<string, Tensor>();
  const others: string[] = [];
  for (const [key, value] of chosen.dict.entries) {
    const name = typeof key === 'string' ? key : pickleType(key);
    const found = read(name, value);
    if (found === undefined || typeof key !== 'string') others.push(name);
    else if (isUnread(found))
      throw unfit(`'${printable(name)}' is ${found.what}, which cannot be read`);
    else tensors.set(key, found);
  }
  const rest = sets.filter((set) => set !== chosen);
  return {
    tensors,
    kind: chosen.kind,
    notes: [
      ...(rest.length === 0
        ? []
        : [
            `the weights are those of ${labelOf(chosen)}; there ${rest.length === 1 ? 'is' : 'are'} also ${rest.map(labelOf).join(', ')}`,
          ]),
      ...(others.length === 0 ? [] : [`${quoted(others)} left out: no tensors`]),
    ],
  };
}

const whole = (
  tensors: Map<string, Tensor>,
  where: string,
  { kind: asked }: WeightsOptions,
): Weights => {
  const set = { key: undefined, kind: tensors.has('n_averaged') ? 'swa' : 'raw' } as const;
  if (asked !== undefined && !(asked === set.kind && isKnown(set))) throw oneSet(where, set);
  return { tensors, kind: set.kind, notes: [] };
};

const readers: {
  readonly [F in FileFormat]: (
    bytes: Uint8Array,
    where: string,
    options: WeightsOptions,
  ) => Weights;
} = {
  torch: torchWeights,
  safetensors: (bytes, where, options) =>
    whole(readSafetensors(bytes, where).tensors, where, options),
  npz: (bytes, where, options) => {
    const arrays = openNpz(bytes, where);
    return { ...whole(arrays.tensors, where, options), notes: leftOut(arrays) };
  },
  npy: (_, where) => {
    throw new InputError('holds a single .npy array, not named weights', {
      where,
      fix: 'write it with numpy.savez',
    });
  },
};

/**
 * The weights in a file of PyTorch, safetensors or NumPy (.npz), known by its content. A checkpoint may hold
 * several sets, and other things beside them, which are left alone. Throws InputError when it is damaged, of
 * another kind or holds no weights, UsageError when it holds no weights of the kind asked for.
 */
export function weightsOf(bytes: Uint8Array, where: string, options: WeightsOptions = {}): Weights {
  const format = fileFormat(bytes, where);
  if (format === undefined) {
    throw new InputError('holds no weights that can be read', {
      where,
      fix: 'name a file that torch.save, safetensors or numpy.savez wrote',
    });
  }
  const weights = readers[format](bytes, where, options);
  if (weights.tensors.size > 0) return weights;
  throw new InputError('holds no tensors', { where, fix: 'choose another file' });
}

/** Reads a file of weights; see `weightsOf`. */
export const readWeights = (path: string, options: WeightsOptions = {}): Weights =>
  weightsOf(readFileOrFail(path), path, options);
