import { InputError } from '../../errors.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { bytesOf, bytesPerElement, type Tensor, type TensorMap } from '../../tensor/tensor.ts';
import { concatBytes } from '../concat.ts';
import { checkNames, printable } from '../names.ts';
import { unpickle } from '../pickle/pickle.ts';
import { plainGlobals } from '../pickle/pickleGlobals.ts';
import { isKind, type PickleValue, pickleType } from '../pickle/pickleValue.ts';
import { type PickleNode, pickleChunks } from '../pickle/pickleWriter.ts';
import { type Arrays, allTensors, checkRead, type UnreadArray } from './arrays.ts';
import { codeOf, unreadable } from './dtypeCode.ts';
import { npyHeader, parseNpyHeader } from './npyHeader.ts';
import { isPickledArray, numpyGlobals } from './numpyPickle.ts';

const globals = new Map([...plainGlobals, ...numpyGlobals]);
const FIX = 'write it with reprod_log: numpy arrays only, each under a name';

const described = (code: string): string => `${unreadable(code) ?? 'unknown type'} (dtype ${code})`;

/** What a value of the dict is that is no array of numbers. */
function unreadOf(value: PickleValue): UnreadArray {
  const refused = isPickledArray(value) ? value.refused : undefined;
  return {
    what: refused === undefined ? `a Python ${pickleType(value)}` : described(refused),
    fix: FIX,
  };
}

/**
 * Reads a reprod_log file, a .npy of dtype object and shape () whose pickle is a dict name → array, in the
 * dict's order. NumPy scalars come back as 0-d tensors. Throws InputError naming `where` for damaged files,
 * other contents, and pickles that ask for anything but arrays.
 */
export function openReprodLog(bytes: Uint8Array, where: string): Arrays {
  const damaged = (what: string) => new InputError(what, { where, fix: FIX });
  const header = parseNpyHeader(bytes, where);
  if (header.descr !== '|O') {
    throw damaged(`holds a plain array (${printable(header.descr)}), not named arrays`);
  }
  if (sizeOf(header.shape) !== 1) {
    throw damaged(`holds ${sizeOf(header.shape)} objects, not one dict`);
  }
  const root = unpickle(bytes.subarray(header.dataOffset), where, { globals, fix: FIX });
  const [dict, ...others] = (isPickledArray(root) ? root.objects : undefined) ?? [];
  if (!isKind(dict, 'dict') || others.length > 0)
    throw damaged('does not hold a dict of named arrays');
  const tensors = new Map<string, Tensor>();
  const unread = new Map<string, UnreadArray>();
  for (const [name, value] of dict.entries) {
    if (typeof name !== 'string')
      throw damaged(
        `has the key ${typeof name === 'object' ? pickleType(name) : String(name)}, which is not a name`,
      );
    const { tensor } = isPickledArray(value) ? value : {};
    if (tensor === undefined) unread.set(name, unreadOf(value));
    else tensors.set(name, tensor);
  }
  return checkRead({ tensors, unread, notes: [] }, where);
}

/** Reads a reprod_log file that holds arrays of numbers and nothing else as name → tensor. */
export const readReprodLog = (bytes: Uint8Array, where: string): Map<string, Tensor> =>
  allTensors(openReprodLog(bytes, where), where);

// NumPy 2 still answers to these names of NumPy 1, for the sake of old pickles.
const RECONSTRUCT: PickleNode = { global: ['numpy.core.multiarray', '_reconstruct'] };
const NDARRAY: PickleNode = { global: ['numpy', 'ndarray'] };
const DTYPE: PickleNode = { global: ['numpy', 'dtype'] };

const dtypeNode = (code: string, order: string, flags: number): PickleNode => ({
  call: DTYPE,
  args: [code, false, true],
  state: { tuple: [3, order, null, null, null, -1, -1, flags] },
});

/** The flags of dtype object: it holds references, needs the interpreter, and so on. */
const OBJECT = dtypeNode('O8', '|', 63);

const arrayNode = (shape: readonly number[], dtype: PickleNode, data: PickleNode): PickleNode => ({
  call: RECONSTRUCT,
  args: [NDARRAY, { tuple: [0] }, Uint8Array.of(0x62)],
  state: { tuple: [1, { tuple: shape }, dtype, false, data] },
});

const tensorNode = (t: Tensor): PickleNode =>
  arrayNode(
    t.shape,
    dtypeNode(codeOf[t.dtype], bytesPerElement[t.dtype] === 1 ? '|' : '<', 0),
    bytesOf(t),
  );

/**
 * A reprod_log file: `numpy.load(f, allow_pickle=True).item()` gives {name: ndarray}, in NumPy 1
 * and 2. Equal maps give equal bytes.
 */
export function writeReprodLog(tensors: TensorMap): Uint8Array<ArrayBuffer> {
  checkNames(tensors.keys(), 'reprod_log');
  const dict: PickleNode = { dict: [...tensors].map(([name, t]) => [name, tensorNode(t)]) };
  const pickled = pickleChunks(arrayNode([], OBJECT, { list: [dict] }), 3);
  return concatBytes([npyHeader('|O', []), ...pickled]);
}
