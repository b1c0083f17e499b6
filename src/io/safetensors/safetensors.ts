import { InputError } from '../../errors.ts';
import { bytesOf, bytesPerElement, type Tensor, type TensorMap } from '../../tensor/tensor.ts';
import { concatBytes } from '../concat.ts';
import { checkMetadata, checkNames } from '../names.ts';
import { viewStored } from '../torch/storedType.ts';
import {
  parseSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
  safetensorsTypeOf,
} from './safetensorsHeader.ts';

export interface Safetensors {
  /** In the order of the header. */
  readonly tensors: Map<string, Tensor>;
  /** The free text pairs of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Some hundred thousand tensors; the format would allow 100 MB, which takes JSON many seconds. */
const MAX_HEADER = 16 * 2 ** 20;
const ALIGN = 8;

/** Where the bytes of a file come from. */
export interface ByteSource {
  readonly byteLength: number;
  /** Those from `begin` to before `end`. */
  readonly read: (begin: number, end: number) => Uint8Array;
}

/** A .safetensors file whose tensors are read when they are asked for. */
export interface OpenSafetensors extends Omit<SafetensorsHeader, 'entries'> {
  /** In the order of the header. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /** A tensor, undefined where there is none called so; in the memory that `read` gave where it lies aligned there. */
  readonly get: (name: string) => Tensor | undefined;
}

/**
 * Opens a .safetensors file. Throws InputError naming `where` when a header entry is malformed, sizes disagree, or the
 * data overlap, leave gaps or are cut short. Source: the format section of the safetensors README.
 */
export function openSafetensors({ byteLength, read }: ByteSource, where: string): OpenSafetensors {
  const damaged = (what: string) =>
    new InputError(what, { where, fix: 'save or download the file again' });
  if (byteLength < 8) throw damaged('is too short for a .safetensors file');
  const first = read(0, 8);
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(Math.min(MAX_HEADER, byteLength - 8))) {
    throw damaged('the .safetensors header runs past the file or 16 MiB');
  }
  const dataOffset = 8 + Number(length);
  const header = parseSafetensorsHeader(read(8, dataOffset), byteLength - dataOffset, damaged);
  const entries = new Map(header.entries.map((entry) => [entry.name, entry]));
  return {
    entries,
    metadata: header.metadata,
    get(name) {
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      const bytes = read(dataOffset + entry.begin, dataOffset + entry.end);
      return viewStored(entry.type, entry.shape, bytes);
    },
  };
}

/** The bytes of a file that is in memory. */
export const sourceOf = (bytes: Uint8Array): ByteSource => ({
  byteLength: bytes.byteLength,
  read: (begin, end) => bytes.subarray(begin, end),
});

/** Reads all of a .safetensors file at once, into tensors in the memory of `bytes` where they lie aligned there. */
export function readSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const { entries, metadata, get } = openSafetensors(sourceOf(bytes), where);
  return { tensors: new Map([...entries.keys()].map((name) => [name, get(name)!])), metadata };
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
