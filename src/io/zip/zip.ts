import { inflateRawSync } from 'node:zlib';
import { InputError } from '../../errors.ts';
import { printable } from '../names.ts';
import { crc32 } from './crc32.ts';
import { type DirectoryEntry, readZipDirectory } from './zipDirectory.ts';

/** An entry whose bytes are unpacked and checked only when asked for. */
export interface ZipEntry {
  readonly name: string;
  /** Unpacked size in bytes. */
  readonly size: number;
  /** The unpacked bytes; a view of the archive where the entry is stored as it is. */
  readonly read: () => Uint8Array;
}

export interface ZipOptions {
  /** An archive whose checksums are all 0 has none, for those whose writers may leave them out. */
  readonly unchecked?: 'never' | 'all zero';
}

const MiB = 2 ** 20;
/** Deflate cannot do better than this; an entry that claims to is a lie. */
const MAX_RATIO = 1032;
const CHUNK = 2 ** 18;
/**
 * All entries together: 128 MiB for any file (a second's work), then 100 times its size, never above 8 GiB.
 */
const totalLimit = (fileBytes: number): number =>
  Math.min(8192 * MiB, Math.max(128 * MiB, 100 * fileBytes));

/** Inflated bytes, if they are exactly `size`; a stream that goes on is stopped there. */
function inflate(packed: Uint8Array, size: number): Uint8Array | undefined {
  try {
    const out = inflateRawSync(packed, { maxOutputLength: Math.max(size, 1), chunkSize: CHUNK });
    return out.byteLength === size ? out : undefined;
  } catch {
    return undefined;
  }
}

const unpackers: {
  readonly [method: number]: (packed: Uint8Array, size: number) => Uint8Array | undefined;
} = {
  0: (packed, size) => (packed.byteLength === size ? packed : undefined),
  8: inflate,
};

function openEntry(
  bytes: Uint8Array,
  entry: DirectoryEntry,
  where: string,
  checked: boolean,
): ZipEntry {
  const { name, size } = entry;
  const damaged = (what: string) =>
    new InputError(`entry '${printable(name)}' ${what}`, {
      where,
      fix: 'save or download the file again',
    });
  const unpack = unpackers[entry.method];
  if (unpack === undefined) throw damaged(`is packed by method ${entry.method}, not deflate`);
  if (size > MAX_RATIO * entry.packed + 64) throw damaged('declares a size it cannot have');
  const read = () => {
    const out = unpack(bytes.subarray(entry.start, entry.start + entry.packed), size);
    if (out === undefined || (checked && crc32(out) !== entry.crc)) throw damaged('is damaged');
    return out;
  };
  return { name, size, read };
}

/**
 * Opens a zip archive (stored and deflated entries, zip64) and returns its files by name in
 * directory order. Nothing is unpacked yet: the declared sizes are checked first, so that a small
 * file cannot ask for unbounded memory. Each entry's CRC is checked as it is read. Throws
 * InputError naming `where`.
 */
export function readZip(
  bytes: Uint8Array,
  where: string,
  { unchecked = 'never' }: ZipOptions = {},
): ReadonlyMap<string, ZipEntry> {
  const directory = readZipDirectory(bytes, where);
  const checked = unchecked === 'never' || [...directory.values()].some(({ crc }) => crc !== 0);
  const total = [...directory.values()].reduce((sum, { size }) => sum + size, 0);
  const limit = totalLimit(bytes.byteLength);
  if (total > limit) {
    throw new InputError(
      `unpacks to ${Math.ceil(total / MiB)} MiB, more than the ${Math.floor(limit / MiB)} MiB allowed for a file of its size`,
      { where, fix: 'save it uncompressed if it is yours' },
    );
  }
  const entries = new Map<string, ZipEntry>();
  for (const [name, entry] of directory) {
    if (!name.endsWith('/')) entries.set(name, openEntry(bytes, entry, where, checked));
  }
  return entries;
}
