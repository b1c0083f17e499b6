import { InputError } from '../../errors.ts';
import { printable } from '../names.ts';

/** One line of a zip's central directory, sizes and offsets in bytes. */
export interface DirectoryEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Where the packed data begin in the file. */
  readonly start: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const SATURATED = 0xffffffff;
const ENCRYPTED = 1;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whether the bytes begin as a zip file does, an empty one included. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes.byteLength >= 4 &&
  bytes[0] === 0x50 &&
  bytes[1] === 0x4b &&
  ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6));

interface Extent {
  readonly count: number;
  readonly offset: number;
  readonly size: number;
  /** Where the end-of-directory records begin. */
  readonly end: number;
}

type Complain = (what: string) => InputError;

const uint64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

function findEnd(view: DataView): number | undefined {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--) {
    if (view.getUint32(at, true) !== END) continue;
    if (at + 22 + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  return undefined;
}

function readExtent(view: DataView, damaged: Complain): Extent {
  const end = findEnd(view);
  if (end === undefined) throw damaged('is not a complete zip archive: its directory is missing');
  if (end >= 20 && view.getUint32(end - 20, true) === LOCATOR64) {
    const at = uint64(view, end - 12);
    if (at + 56 > end - 20 || view.getUint32(at, true) !== END64) {
      throw damaged('the zip directory is damaged');
    }
    const [count, size, offset] = [32, 40, 48].map((k) => uint64(view, at + k));
    return { count, size, offset, end: at };
  }
  return {
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
    end,
  };
}

/** The 64-bit values that stand in an entry's extra field for each saturated 32-bit one. */
function widen(view: DataView, from: number, to: number, fields: number[]): number[] | undefined {
  if (!fields.includes(SATURATED)) return fields;
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    const stop = Math.min(to, next + view.getUint16(at + 2, true));
    const wide = [...fields];
    for (const [i, field] of fields.entries()) {
      if (field !== SATURATED) continue;
      if (next + 8 > stop) return undefined;
      wide[i] = uint64(view, next);
      next += 8;
    }
    return wide;
  }
  return undefined;
}

function nameAt(bytes: Uint8Array, at: number, length: number, damaged: Complain): string {
  try {
    return utf8.decode(bytes.subarray(at, at + length));
  } catch {
    throw damaged('an entry of the zip directory has an unreadable name');
  }
}

/**
 * Reads a zip's central directory and checks it against the local headers: every entry in bounds,
 * none overlapping another, names equal in both places and unique. Zip64 and data descriptors are
 * understood; encrypted and split archives are refused. Throws InputError naming `where`.
 * Source: PKWARE's APPNOTE, sections 4.3 and 4.5.
 */
export function readZipDirectory(
  bytes: Uint8Array,
  where: string,
): ReadonlyMap<string, DirectoryEntry> {
  const damaged: Complain = (what) =>
    new InputError(what, { where, fix: 'save or download the file again' });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { count, offset, size, end } = readExtent(view, damaged);
  if (offset + size !== end) throw damaged('the zip directory is damaged');
  const entries = new Map<string, DirectoryEntry>();
  const spans: { readonly from: number; readonly to: number }[] = [];
  let at = offset;
  for (let n = 0; n < count; n++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL) {
      throw damaged('the zip directory is damaged');
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((k) =>
      view.getUint16(at + k, true),
    );
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > end) throw damaged('the zip directory is damaged');
    const name = nameAt(bytes, at + 46, nameLength, damaged);
    const wide = widen(
      view,
      at + 46 + nameLength,
      at + 46 + nameLength + extraLength,
      [24, 20, 42].map((k) => view.getUint32(at + k, true)),
    );
    if (wide === undefined) throw damaged(`entry '${printable(name)}' has damaged sizes`);
    const [unpacked, packed, local] = wide;
    if (local + 30 > offset || view.getUint32(local, true) !== LOCAL) {
      throw damaged(`entry '${printable(name)}' points nowhere`);
    }
    const localName = view.getUint16(local + 26, true);
    const start = local + 30 + localName + view.getUint16(local + 28, true);
    if (start + packed > offset) throw damaged(`entry '${printable(name)}' runs past the archive`);
    if (nameAt(bytes, local + 30, localName, damaged) !== name) {
      throw damaged(`entry '${printable(name)}' has another name in its own header`);
    }
    if (view.getUint16(at + 8, true) & ENCRYPTED)
      throw damaged(`entry '${printable(name)}' is encrypted`);
    if (entries.has(name)) throw damaged(`entry '${printable(name)}' is there twice`);
    const method = view.getUint16(at + 10, true);
    entries.set(name, {
      name,
      method,
      crc: view.getUint32(at + 16, true),
      packed,
      size: unpacked,
      start,
    });
    spans.push({ from: local, to: start + packed });
    at = next;
  }
  if (at !== end) throw damaged('the zip directory is damaged');
  spans.sort((a, b) => a.from - b.from);
  for (let i = 1; i < spans.length; i++) {
    if (spans[i].from < spans[i - 1].to) throw damaged('entries of the zip archive overlap');
  }
  return entries;
}
