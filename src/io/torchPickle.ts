import { bytesPerElement, type DType } from '../tensor/tensor.ts';
import {
  isKind,
  type PickleContext,
  type PickleObject,
  type PickleRule,
  type PickleValue,
  sizesOf,
} from './pickleValue.ts';

/** A storage named by a tensor: an entry `data/<key>` of the archive; untyped ones count bytes. */
export interface TorchStorage extends PickleObject {
  readonly type: 'storage';
  readonly dtype: DType | undefined;
  readonly key: string;
}

/** A tensor as described, its elements still in the archive; sizes in elements. */
export interface TorchTensor extends PickleObject {
  readonly type: 'tensor';
  readonly storage: TorchStorage;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
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

/** Known to PyTorch, but there is no tensor of ours to hold them. */
const unsupported = ['BFloat16', 'ComplexFloat', 'ComplexDouble', 'QInt8', 'QUInt8', 'QInt32'].map(
  (type) => `torch.${type}Storage`,
);

const UNTYPED = 'torch.storage.UntypedStorage';

const storageTypes = new Map<string, DType>(
  (Object.keys(storageClass) as DType[]).map((d) => [`torch.${storageClass[d]}`, d]),
);
const torchTypes = new Map<string, DType>(
  (Object.keys(bytesPerElement) as DType[]).map((d) => [`torch.${d}`, d]),
);

const isStorage = (value: PickleValue | undefined): value is TorchStorage =>
  isKind(value, 'object') && value.type === 'storage';

export const isTorchTensor = (value: PickleValue | undefined): value is TorchTensor =>
  isKind(value, 'object') && value.type === 'tensor';

/** Resolves `('storage', class, key, device, size)`; the size is the archive's to tell. */
export function persistentStorage(id: PickleValue, { damaged }: PickleContext): TorchStorage {
  const [tag, type, key] = isKind(id, 'tuple') ? id.items : [];
  const name = isKind(type, 'global') ? type.name : '';
  if (unsupported.includes(name)) {
    throw damaged(`the checkpoint holds elements of ${name}, which is not supported`);
  }
  const dtype = storageTypes.get(name);
  if (tag !== 'storage' || typeof key !== 'string' || (dtype === undefined && name !== UNTYPED)) {
    throw damaged('the checkpoint refers to an unreadable storage');
  }
  return { kind: 'object', type: 'storage', dtype, key };
}

function rebuild(
  [storage, offset, size, stride]: readonly PickleValue[],
  named: DType | undefined,
  { damaged }: PickleContext,
): TorchTensor {
  const shape = sizesOf(size);
  const strides = sizesOf(stride);
  const dtype = named ?? (isStorage(storage) ? storage.dtype : undefined);
  if (
    !isStorage(storage) ||
    dtype === undefined ||
    typeof offset !== 'number' ||
    !Number.isSafeInteger(offset) ||
    offset < 0 ||
    shape === undefined ||
    shape.length !== strides?.length
  ) {
    throw damaged('the checkpoint holds a tensor with an unreadable description');
  }
  return { kind: 'object', type: 'tensor', storage, dtype, shape, strides, offset };
}

/** `(storage, offset, size, stride, …)`: the element type is the storage's. */
const rebuildTensor: PickleRule = (args, context) => rebuild(args, undefined, context);

/** As above with the dtype as seventh argument, over an untyped storage. */
const rebuildTensorV3: PickleRule = (args, context) => {
  const named = args[6];
  const dtype = isKind(named, 'global') ? torchTypes.get(named.name) : undefined;
  if (dtype === undefined) throw context.damaged('the checkpoint holds a tensor of unknown dtype');
  return rebuild(args, dtype, context);
};

const rebuildParameter: PickleRule = ([data], { damaged }) => {
  if (!isTorchTensor(data)) throw damaged('the checkpoint holds an unreadable parameter');
  return data;
};

const size: PickleRule = ([items], { damaged }) => {
  if (!isKind(items, 'tuple')) throw damaged('the checkpoint holds an unreadable size');
  return items;
};

/** What torch.save names when it writes tensors, parameters and their sizes. */
export const torchGlobals: readonly (readonly [string, PickleRule | null])[] = [
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTensorV3],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch.Size', size],
  [UNTYPED, null],
  ...[...storageTypes.keys(), ...torchTypes.keys(), ...unsupported].map(
    (name) => [name, null] as const,
  ),
];
