import { isKind, type PickleDict, type PickleValue } from '../pickle/pickleValue.ts';
import { isTorchTensor, isUnreadTensor } from './torchPickle.ts';

export const weightKinds = ['swa', 'raw'] as const;
/** The average of weights, or the weights that were trained. */
export type WeightKind = (typeof weightKinds)[number];

/** Under which names training scripts keep a state_dict, the usual ones first. */
const usualKeys: { readonly [K in WeightKind]: readonly string[] } = {
  raw: ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights', 'params'],
  swa: [
    'swa_state_dict',
    'swa_model_state_dict',
    'swa_model',
    'ema_state_dict',
    'state_dict_ema',
    'model_ema',
    'ema_model',
    'averaged_model',
    'ema',
    'params_ema',
  ],
};

/** A state_dict in a checkpoint. */
export interface WeightSet {
  readonly kind: WeightKind;
  /** undefined for the checkpoint itself. */
  readonly key: string | undefined;
  readonly dict: PickleDict;
}

/** Whether its name says what it is, so that the first of several is the one that is meant. */
export const isUsual = ({ key }: WeightSet): boolean =>
  key !== undefined && weightKinds.some((kind) => usualKeys[kind].includes(key));

const isTensor = (value: PickleValue): boolean => isTorchTensor(value) || isUnreadTensor(value);

/** A dict with tensors right in it. */
const stateDictOf = (value: PickleValue | undefined): PickleDict | undefined =>
  isKind(value, 'dict') && [...value.entries.values()].some(isTensor) ? value : undefined;

/** AveragedModel counts in its state_dict how many models the average holds. */
const kindOf = ({ entries }: PickleDict): WeightKind | undefined =>
  entries.has('n_averaged') ? 'swa' : undefined;

/** The SWA authors save an average from the first epoch on; until a model has joined, it is a random one. */
export const averageIsEmpty = (root: PickleValue): boolean =>
  isKind(root, 'dict') && root.entries.get('swa_n') === 0;

/**
 * The sets of weights in a checkpoint: by the names that training scripts give them, else the checkpoint
 * itself where tensors lie right in it, else whatever dicts of tensors it has. An average of no models is none.
 */
export function weightSetsOf(root: PickleValue): WeightSet[] {
  if (!isKind(root, 'dict')) return [];
  const under = (key: PickleValue, usual: WeightKind = 'raw'): WeightSet[] => {
    const dict = stateDictOf(root.entries.get(key));
    if (dict === undefined || typeof key !== 'string') return [];
    return [{ kind: kindOf(dict) ?? usual, key, dict }];
  };
  const named = weightKinds.flatMap((kind) => usualKeys[kind].flatMap((key) => under(key, kind)));
  if (named.length > 0) {
    return averageIsEmpty(root) ? named.filter(({ kind }) => kind === 'raw') : named;
  }
  if (stateDictOf(root)) return [{ kind: kindOf(root) ?? 'raw', key: undefined, dict: root }];
  return [...root.entries.keys()].flatMap((key) => under(key));
}
