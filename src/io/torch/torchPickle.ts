import type { DType } from '../../tensor/tensor.ts';
import { numpyGlobals } from '../numpy/numpyPickle.ts';
import { plainGlobals } from '../pickle/pickleGlobals.ts';
import {
  isKind,
  type PickleContext,
  type PickleObject,
  type PickleOpaque,
  type PickleRule,
  type PickleValue,
  pickleType,
  sizesOf,
} from '../pickle/pickleValue.ts';
import { type StoredType, storedTypes } from './storedType.ts';

/** A storage named by a tensor, its bytes still in the file. */
export interface TorchStorage extends PickleObject {
  readonly type: 'storage';
  /** undefined where the storage counts bytes, and each tensor says what they are, or is quantized. */
  readonly elements: StoredType | undefined;
  /** Bytes an element. */
  readonly width: number;
  readonly key: string;
  /** Where it begins in that storage, for views of PyTorch before 0.4; in elements. */
  readonly base: number;
  readonly size: number;
}

/** A tensor as described, its elements still in the file; sizes in elements. */
export interface TorchTensor extends PickleObject {
  readonly type: 'tensor';
  readonly storage: TorchStorage;
  readonly elements: StoredType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  /** PyTorch negates lazily: the sign of every element is the other one. */
  readonly negative: boolean;
  /** And conjugates so. */
  readonly conjugate: boolean;
}

/** PyTorch's storage classes; types younger than these are stored untyped. */
export const storageClass: { readonly [D in DType]?: string } = {
  float16: 'HalfStorage',
  float32: 'FloatStorage',
  float64: 'DoubleStorage',
  int8: 'CharStorage',
  int16: 'ShortStorage',
  int32: 'IntStorage',
  int64: 'LongStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
};

interface StorageClass {
  readonly elements: StoredType | undefined;
  readonly width: number;
}

const storageClasses: ReadonlyMap<string, StorageClass> = new Map<string, StorageClass>([
  ...Object.entries({
    ...storageClass,
    bfloat16: 'BFloat16Storage',
    complex64: 'ComplexFloatStorage',
    complex128: 'ComplexDoubleStorage',
  }).map(([name, type]): [string, StorageClass] => {
    const elements = storedTypes.get(name)!;
    return [`torch.${type}`, { elements, width: elements.width }];
  }),
  ['torch.storage.UntypedStorage', { elements: undefined, width: 1 }],
  ['torch.storage._UntypedStorage', { elements: undefined, width: 1 }],
  ['torch.QInt8Storage', { elements: undefined, width: 1 }],
  ['torch.QUInt8Storage', { elements: undefined, width: 1 }],
  ['torch.QInt32Storage', { elements: undefined, width: 4 }],
]);

const MAX_KEY = 64;
/** PyTorch's functions that make a tensor: what one without a rule was to make is a tensor too. */
const REBUILDS = /^torch\._(utils|tensor)\._rebuild_/;

export const isStorage = (value: PickleValue | undefined): value is TorchStorage =>
  isKind(value, 'object') && value.type === 'storage';

export const isTorchTensor = (value: PickleValue | undefined): value is TorchTensor =>
  isKind(value, 'object') && value.type === 'tensor';

/** Whether the value was a tensor in PyTorch, of a kind that is not read here: sparse, quantized, without memory. */
export const isUnreadTensor = (value: PickleValue | undefined): value is PickleOpaque =>
  isKind(value, 'opaque') && REBUILDS.test(value.name);

const unreadTensors: { readonly [rebuild: string]: string } = {
  qtensor: 'a quantized tensor',
  sparse_tensor: 'a sparse tensor',
  sparse_csr_tensor: 'a sparse tensor',
  nested_tensor: 'a nested tensor',
  meta_tensor_no_storage: 'a tensor of device meta, which has no elements',
};

/** What it was, for messages. */
export function describeUnread({ name, args }: PickleOpaque): string {
  const what = unreadTensors[name.replace(REBUILDS, '')];
  const [made] = args;
  if (what !== undefined) return what;
  return isUnreadTensor(made) ? describeUnread(made) : `a tensor of ${pickleType(made)}`;
}

const count = (value: PickleValue | undefined): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** Where a view of a storage begins in it: `(key, offset, size)`, of the oldest files. */
function baseOf(view: PickleValue | undefined): number | undefined {
  if (view === undefined || view === null) return 0;
  return isKind(view, 'tuple') ? count(view.items[1]) : undefined;
}

/**
 * Resolves `('storage', class, key, device, size)`, in old files with a view behind. Of a class that is not
 * known it is a mark, and so is every tensor over it.
 */
export function persistentStorage(id: PickleValue, { damaged }: PickleContext): PickleValue {
  const [tag, type, key, , size, view] = isKind(id, 'tuple') ? id.items : [];
  // The oldest files wrap each class of a model so.
  if (tag === 'module' && type !== undefined) return type;
  const [numbers, base] = [count(size), baseOf(view)];
  if (
    tag !== 'storage' ||
    typeof key !== 'string' ||
    key.length > MAX_KEY ||
    numbers === undefined ||
    base === undefined
  ) {
    throw damaged('the checkpoint refers to an unreadable storage');
  }
  const known = isKind(type, 'global') ? storageClasses.get(type.name) : undefined;
  if (known === undefined) return { kind: 'opaque', name: pickleType(type), args: [] };
  const storage: TorchStorage = {
    kind: 'object',
    type: 'storage',
    ...known,
    key,
    base,
    size: numbers,
  };
  return storage;
}

/** What the metadata say, or undefined where they say what is not known here. */
function bitsOf(metadata: PickleValue | undefined) {
  const bits = { negative: false, conjugate: false };
  if (metadata === undefined || metadata === null) return bits;
  if (!isKind(metadata, 'dict')) return undefined;
  for (const [key, value] of metadata.entries) {
    if (typeof value !== 'boolean') return undefined;
    if (key === 'neg') bits.negative = value;
    else if (key === 'conj') bits.conjugate = value;
    else if (value) return undefined;
  }
  return bits;
}

function rebuild(
  [storage, offset, size, stride]: readonly PickleValue[],
  named: StoredType | undefined,
  metadata: PickleValue | undefined,
): TorchTensor | undefined {
  const [shape, strides, start] = [sizesOf(size), sizesOf(stride), count(offset)];
  const bits = bitsOf(metadata);
  if (!isStorage(storage) || bits === undefined) return undefined;
  const elements = named ?? storage.elements;
  if (
    elements === undefined ||
    start === undefined ||
    shape === undefined ||
    shape.length !== strides?.length ||
    (bits.conjugate && !elements.complex)
  ) {
    return undefined;
  }
  const placed = { storage, elements, shape, strides, offset: storage.base + start };
  return { kind: 'object', type: 'tensor', ...placed, ...bits };
}

/** `(storage, offset, size, stride, …, metadata)`: the element type is the storage's. */
const rebuildTensor: PickleRule = (args) => rebuild(args, undefined, args[6]);

/** As above with the dtype as seventh argument, over an untyped storage. */
const rebuildTensorV3: PickleRule = (args) => {
  const named = args[6];
  const elements = isKind(named, 'global')
    ? storedTypes.get(named.name.replace(/^torch\./, ''))
    : undefined;
  return elements && rebuild(args, elements, args[7]);
};

const rebuildParameter: PickleRule = ([data]) => (isTorchTensor(data) ? data : undefined);

/** `(function, type, arguments, state)`: a tensor with attributes, or of a class of its own. */
const rebuildFromType: PickleRule = ([callee, , args], context) => {
  if (!isKind(callee, 'global') || !isKind(args, 'tuple')) return undefined;
  // Never itself: that would go as deep as a file likes.
  return callee.rule === rebuildFromType ? undefined : callee.rule?.(args.items, context);
};

const size: PickleRule = ([items]) => (isKind(items, 'tuple') ? items : undefined);

/** A file of torch.save: the value it holds, and the memory of its tensors, unpacked when asked for. */
export interface TorchFile {
  readonly value: PickleValue;
  /** Little-endian elements of `width` bytes; undefined where the file has none by that key. */
  readonly storage: (key: string, width: number) => Uint8Array | undefined;
}

/** What torch.save names when it writes tensors, parameters and their sizes. */
const torchGlobals: readonly (readonly [string, PickleRule])[] = [
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTensorV3],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
  ['torch._tensor._rebuild_from_type', rebuildFromType],
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  ['torch.Size', size],
];

/** How pickles in files of torch.save are read. */
export const torchPickles = {
  // Training scripts keep NumPy numbers (a best score) beside the weights.
  globals: new Map([...plainGlobals, ...torchGlobals, ...numpyGlobals]),
  fix: 'save the state_dict alone: torch.save(model.state_dict(), path)',
} as const;
