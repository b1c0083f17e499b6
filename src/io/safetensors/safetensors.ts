import { InputError } from '../../errors.ts';
import { bytesOf, bytesPerElement, type Tensor, type TensorMap } from '../../tensor/tensor.ts';
import { concatBytes } from '../concat.ts';
import { checkMetadata, checkNames } from '../names.ts';
import { decodeStored } from '../torch/storedType.ts';
import { parseSafetensorsHeader, safetensorsTypeOf } from './safetensorsHeader.ts';

export interface Safetensors {
  /** In the order of the header. */
  readonly tensors: Map<string, Tensor>;
  /** The free text pairs of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Some hundred thousand tensors; the format would allow 100 MB, which takes JSON many seconds. */
const MAX_HEADER = 16 * 2 ** 20;
const ALIGN = 8;

/**
 * Reads a .safetensors file into tensors of their own memory. Throws InputError naming `where` when
 * a header entry is malformed, sizes disagree, or the data overlap, leave gaps or are cut short.
 * Source: the format section of the safetensors README.
 */
export function readSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const damaged = (what: string) =>
    new InputError(what, { where, fix: 'save or download the file again' });
  if (bytes.byteLength < 8) throw damaged('is too short for a .safetensors file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(Math.min(MAX_HEADER, bytes.byteLength - 8))) {
    throw damaged('the .safetensors header runs past the file or 16 MiB');
  }
  const dataOffset = 8 + Number(length);
  const data = bytes.subarray(dataOffset);
  const header = parseSafetensorsHeader(bytes.subarray(8, dataOffset), data.byteLength, damaged);
  const tensors = new Map<string, Tensor>();
  for (const { name, type, shape, begin, end } of header.entries) {
    tensors.set(name, decodeStored(type, shape, data.subarray(begin, end)));
  }
  return { tensors, metadata: header.metadata };
}

const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Wide elements first, so that every tensor is aligned; then by name. */
const dataOrder = (tensors: TensorMap): (readonly [string, Tensor])[] =>
  [...tensors].sort(
    ([a, s], [b, t]) => bytesPerElement[t.dtype] - bytesPerElement[s.dtype] || compareNames(a, b),
  );

/**
 * The chunks of a .safetensors file: a header in map order, then the tensors' own memory without
 * copying. The same map gives the same bytes. Throws InputError for names it cannot carry.
 */
export function safetensorsChunks(
  tensors: TensorMap,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  checkNames(tensors.keys(), '.safetensors');
  checkMetadata(metadata, '.safetensors');
  if (tensors.has('__metadata__')) {
    throw new InputError("'__metadata__' cannot name a tensor", {
      where: '.safetensors file',
      fix: 'rename the tensor',
    });
  }
  const data = dataOrder(tensors);
  const begins = new Map<string, number>();
  let at = 0;
  for (const [name, t] of data) {
    begins.set(name, at);
    at += t.data.byteLength;
  }
  // Written member by member, since an object would move integer-like names to the front.
  const members = [...tensors].map(([name, t]) => {
    const begin = begins.get(name) ?? 0;
    const entry = {
      dtype: safetensorsTypeOf[t.dtype],
      shape: t.shape,
      data_offsets: [begin, begin + t.data.byteLength],
    };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  if (Object.keys(metadata).length > 0) {
    members.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const padding = (ALIGN - (json.byteLength % ALIGN)) % ALIGN;
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(json.byteLength + padding), true);
  return [
    new Uint8Array(length.buffer),
    json,
    new Uint8Array(padding).fill(0x20),
    ...data.map(([, t]) => bytesOf(t)),
  ];
}

/** A .safetensors file in one array. */
export const writeSafetensors = (
  tensors: TensorMap,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> => concatBytes(safetensorsChunks(tensors, metadata));
