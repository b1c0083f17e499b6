import { deflateSync } from 'fflate';
import { InputError } from '../../errors.ts';
import { concatBytes } from '../concat.ts';
import { crc32 } from './crc32.ts';

export interface ZipInput {
  readonly name: string;
  readonly chunks: readonly Uint8Array[];
}

export interface ZipOptions {
  /** Deflate the entries instead of storing them. */
  readonly compress?: boolean;
  /** Begin each entry's data at a multiple of this many bytes. */
  readonly align?: number;
}

/** 1 January 1980, the earliest date a zip can carry: the bytes depend on the content alone. */
const DATE = 0x0021;
const UTF8 = 0x0800;
const VERSION = 20;
/** An extra field of a private kind, as other writers use it for padding. */
const PADDING = 0x4246;
const LIMIT = 0xffffffff;

function record(
  size: number,
  fields: readonly (readonly [at: number, bytes: 2 | 4, value: number])[],
) {
  const view = new DataView(new ArrayBuffer(size));
  for (const [at, bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
  }
  return new Uint8Array(view.buffer);
}

function paddingFor(position: number, align: number): Uint8Array {
  // The padding field's own header takes four bytes.
  const fill = (align - ((position + 4) % align)) % align;
  return record(4 + fill, [
    [0, 2, PADDING],
    [2, 2, fill],
  ]);
}

const lengthOf = (chunks: readonly Uint8Array[]): number =>
  chunks.reduce((n, c) => n + c.byteLength, 0);

/**
 * Produces a zip archive chunk by chunk; stored chunks are passed through without copying. The same
 * entries give the same bytes. Throws InputError naming `where` when the archive would pass 4 GiB
 * or 65,535 entries, beyond which a zip needs another format.
 */
export function* zipChunks(
  inputs: Iterable<ZipInput>,
  { compress = false, align = 1 }: ZipOptions = {},
  where = 'zip archive',
): Generator<Uint8Array> {
  const central: Uint8Array[] = [];
  const method = compress ? 8 : 0;
  let at = 0;
  let count = 0;
  const guard = (size: number) => {
    if (size <= LIMIT && count < 0xffff) return;
    throw new InputError('is more than a zip of 4 GiB and 65,534 entries can hold', {
      where,
      fix: 'write a .safetensors file instead',
    });
  };
  for (const { name, chunks } of inputs) {
    const size = lengthOf(chunks);
    guard(at + size);
    const whole = chunks.length === 1 ? chunks[0] : concatBytes(chunks);
    const packed = compress ? deflateSync(whole) : whole;
    const nameBytes = new TextEncoder().encode(name);
    const extra = align > 1 ? paddingFor(at + 30 + nameBytes.byteLength, align) : new Uint8Array(0);
    const shared = (base: number) =>
      [
        [base, 2, VERSION],
        [base + 2, 2, UTF8],
        [base + 4, 2, method],
        [base + 8, 2, DATE],
        [base + 10, 4, crc32(whole)],
        [base + 14, 4, packed.byteLength],
        [base + 18, 4, size],
        [base + 22, 2, nameBytes.byteLength],
      ] as const;
    yield record(30, [[0, 4, 0x04034b50], ...shared(4), [28, 2, extra.byteLength]]);
    yield nameBytes;
    yield extra;
    yield packed;
    central.push(
      record(46, [[0, 4, 0x02014b50], [4, 2, VERSION], ...shared(6), [42, 4, at]]),
      nameBytes,
    );
    at += 30 + nameBytes.byteLength + extra.byteLength + packed.byteLength;
    count++;
    guard(at);
  }
  const size = lengthOf(central);
  guard(at + size + 22);
  yield* central;
  yield record(22, [
    [0, 4, 0x06054b50],
    [8, 2, count],
    [10, 2, count],
    [12, 4, size],
    [16, 4, at],
  ]);
}
