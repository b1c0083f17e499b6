import { InputError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UnreadArray } from '../numpy/arrays.ts';
import { unreadable } from '../numpy/dtypeCode.ts';
import { isPickledArray } from '../numpy/numpyPickle.ts';
import type { PickleValue } from '../pickle/pickleValue.ts';
import { type Leaf, leavesOf } from './leaves.ts';
import { openTorch } from './torchFile.ts';
import { describeUnread, isTorchTensor, isUnreadTensor, torchPickles } from './torchPickle.ts';
import { torchTensorReader } from './torchTensors.ts';

/** A tensor, one that cannot be read, or undefined for what is none. */
export type Found = Tensor | UnreadArray | undefined;

/** A file of torch.save: the tree of values in it, and how its tensors are read. */
export interface TorchCheckpoint {
  readonly root: PickleValue;
  /** Every value that holds no others, by its path. */
  readonly leaves: () => Leaf[];
  readonly read: (name: string, value: PickleValue) => Found;
}

/**
 * Opens a file of torch.save of any age, PyTorch's or NumPy's tensors in dicts, lists and tuples as deep as
 * may be. Nothing in it is run, and nothing unpacked before it is asked for. Throws InputError naming `where`
 * for other files and damage.
 */
export function openTorchCheckpoint(bytes: Uint8Array, where: string): TorchCheckpoint {
  const { fix } = torchPickles;
  const file = openTorch(bytes, where);
  const tensor = torchTensorReader(file, bytes.byteLength, where);
  return {
    root: file.value,
    leaves: () =>
      leavesOf(file.value, bytes.byteLength, (what) => new InputError(what, { where, fix })),
    read: (name, value) => {
      if (isTorchTensor(value)) return tensor(name, value);
      if (isUnreadTensor(value)) return { what: describeUnread(value), fix };
      if (!isPickledArray(value)) return undefined;
      const { tensor: array, refused = 'unknown' } = value;
      return array ?? { what: `${unreadable(refused) ?? 'unknown type'} (dtype ${refused})`, fix };
    },
  };
}
