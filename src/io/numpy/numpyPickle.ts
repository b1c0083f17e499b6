import type { Tensor } from '../../tensor/tensor.ts';
import { decodeElements, type Layout } from '../elements.ts';
import { printable } from '../names.ts';
import {
  isKind,
  type PickleContext,
  type PickleObject,
  type PickleRule,
  type PickleValue,
  pickleType,
  sizesOf,
} from '../pickle/pickleValue.ts';
import { storedBytes } from '../shapeCheck.ts';
import { parseDescr, type StoredType } from './dtypeCode.ts';

/** A NumPy array: its elements, or the Python objects of dtype object, once its state is there. */
export interface PickledArray extends PickleObject {
  readonly type: 'ndarray';
  tensor: Tensor | undefined;
  objects: readonly PickleValue[] | undefined;
  /** The dtype of an array that is known to be whole and not one of numbers we have a type for. */
  refused: string | undefined;
}

interface PickledType extends PickleObject {
  readonly type: 'dtype';
  readonly code: string;
  order: string;
}

export const isPickledArray = (value: PickleValue | undefined): value is PickledArray =>
  isKind(value, 'object') && value.type === 'ndarray';

/** NumPy's are a letter and a few digits; read anew for each array. */
const MAX_CODE = 32;

const isPickledType = (value: PickleValue | undefined): value is PickledType =>
  isKind(value, 'object') && value.type === 'dtype';

/** `numpy.dtype(code, align, copy)`, whose state then says the byte order. */
const dtype: PickleRule = ([code], { damaged }) => {
  if (typeof code !== 'string' || code.length > MAX_CODE) return undefined;
  const made: PickledType = {
    kind: 'object',
    type: 'dtype',
    code,
    order: '=',
    build: (state) => {
      const order = isKind(state, 'tuple') ? state.items[1] : undefined;
      if (typeof order !== 'string') throw damaged('the pickle holds an unreadable dtype');
      made.order = order;
    },
  };
  return made;
};

const storedType = (value: PickledType): StoredType | undefined =>
  parseDescr(`${value.order}${value.code}`);

/** Python 2 pickled the elements as a str, a character a byte. */
function rawBytes(value: PickleValue | undefined): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : undefined;
}

/**
 * The tensor of these stored elements; of text, complex numbers and the like only the name of their dtype,
 * since whoever knows the array's own name can say more.
 */
function decode(
  type: PickleValue | undefined,
  shape: readonly number[] | undefined,
  data: PickleValue | undefined,
  layout: Layout,
  context: PickleContext,
): Pick<PickledArray, 'tensor' | 'refused'> {
  if (!isPickledType(type)) {
    throw context.damaged(`the pickle holds an array whose dtype is ${pickleType(type)}`);
  }
  const stored = storedType(type);
  if (stored === undefined) return { tensor: undefined, refused: printable(type.code) };
  const bytes = rawBytes(data);
  const filled =
    bytes !== undefined &&
    shape !== undefined &&
    bytes.byteLength === storedBytes(stored.dtype, shape);
  if (!filled)
    throw context.damaged('the pickle holds an array whose elements do not fill its shape');
  context.spend(bytes.byteLength);
  const options = { ...layout, bigEndian: stored.bigEndian };
  return { tensor: decodeElements(stored.dtype, shape, bytes, options), refused: undefined };
}

const arrayOf = (content: Pick<PickledArray, 'tensor' | 'refused'>): PickledArray => ({
  kind: 'object',
  type: 'ndarray',
  objects: undefined,
  ...content,
});

/** `_reconstruct(ndarray, (0,), b'b')`: an empty array, filled by its state. */
const reconstruct: PickleRule = ([base], { damaged }) => {
  if (!isKind(base, 'global') || base.name !== 'numpy.ndarray') return undefined;
  const made: PickledArray = {
    ...arrayOf({ tensor: undefined, refused: undefined }),
    build: (state, context) => {
      const [version, sizes, type, fortran, data] = isKind(state, 'tuple') ? state.items : [];
      const shape = sizesOf(sizes);
      if (version !== 1 || typeof fortran !== 'boolean') {
        throw damaged('the pickle holds an array with an unreadable state');
      }
      if (isPickledType(type) && /^O\d?$/.test(type.code)) {
        const count = shape?.reduce((n, d) => n * d, 1);
        if (!isKind(data, 'list') || data.items.length !== count) {
          throw damaged('the pickle holds an object array that does not fill its shape');
        }
        made.objects = data.items;
      } else Object.assign(made, decode(type, shape, data, { fortran }, context));
    },
  };
  return made;
};

/** `scalar(dtype, bytes)`: a NumPy number, read as a 0-d array. */
const scalar: PickleRule = ([type, data], context) => arrayOf(decode(type, [], data, {}, context));

/** `_frombuffer(bytes, dtype, shape, order)`: protocol 5, the bytes in the pickle itself. */
const fromBuffer: PickleRule = ([data, type, sizes, order], context) => {
  if (order !== 'C' && order !== 'F') throw context.damaged('the pickle holds an unreadable array');
  return arrayOf(decode(type, sizesOf(sizes), data, { fortran: order === 'F' }, context));
};

/** NumPy's pickle globals, under the module names of NumPy 1 (`core`) and 2 (`_core`). */
export const numpyGlobals: readonly (readonly [string, PickleRule])[] = [
  ['numpy.dtype', dtype],
  ...['numpy.core', 'numpy._core'].flatMap(
    (core) =>
      [
        [`${core}.multiarray._reconstruct`, reconstruct],
        [`${core}.multiarray.scalar`, scalar],
        [`${core}.numeric._frombuffer`, fromBuffer],
      ] as const,
  ),
];
