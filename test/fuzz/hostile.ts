import { deflateRawSync, gzipSync } from 'node:zlib';
import { noise, tarOf } from '../../src/data/download/testdata/archives.ts';
import { concatBytes } from '../../src/io/concat.ts';
import { npyHeader } from '../../src/io/numpy/npyHeader.ts';
import { crc32 } from '../../src/io/zip/crc32.ts';
import { zipChunks } from '../../src/io/zip/zipWriter.ts';
import type { ReaderName } from './readers.ts';

export interface HostileFile {
  readonly what: string;
  readonly reader: ReaderName;
  readonly make: () => Uint8Array;
}

const MiB = 2 ** 20;
const latin = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** A zip of one deflated entry, written here so that no limit of our own writer stands in the way. */
function zipOf(name: string, content: Uint8Array): Uint8Array {
  const packed = deflateRawSync(content, { level: 9 });
  const fixed = (signature: string, before: number, after: number): Buffer => {
    const fields = Buffer.alloc(before + 22 + after);
    fields.write(signature, 0, 'latin1');
    fields.writeUInt16LE(8, before + 4);
    fields.writeUInt32LE(crc32(content), before + 10);
    fields.writeUInt32LE(packed.byteLength, before + 14);
    fields.writeUInt32LE(content.byteLength, before + 18);
    return fields;
  };
  const local = fixed('PK\x03\x04', 4, 4);
  local.writeUInt16LE(name.length, 26);
  const central = fixed('PK\x01\x02', 6, 18);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.byteLength + name.length, 12);
  end.writeUInt32LE(local.byteLength + name.length + packed.byteLength, 16);
  return concatBytes([local, latin(name), packed, central, latin(name), end]);
}

/** A .npy of zeros, in whatever order and byte order costs most. */
function zerosNpy(bytes: number): Uint8Array {
  const header = Buffer.from(npyHeader('>f8', [2, bytes / 16])).toString('latin1');
  return concatBytes([
    latin(header.replace("'fortran_order': False", "'fortran_order': True ")),
    new Uint8Array(bytes),
  ]);
}

const objectHeader = npyHeader('|O', []);
const inside = (pickle: string): Uint8Array => concatBytes([objectHeader, latin(pickle)]);

const storage =
  '(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ';

/** A file of torch.save with one float in its storage `0`. */
const torchOf = (pickle: string): Uint8Array =>
  concatBytes(
    zipChunks(
      [
        { name: 'a/data.pkl', chunks: [latin(pickle)] },
        { name: 'a/data/0', chunks: [new Uint8Array(4)] },
      ],
      { compress: true },
    ),
  );

/** Small files that ask for much: time, memory, depth, or a place that is not theirs. */
export const hostileFiles: readonly HostileFile[] = [
  {
    what: 'an array of 125 MiB in an eighth of one',
    reader: 'npz',
    make: () => zipOf('a.npy', zerosNpy(125 * MiB)),
  },
  {
    what: 'an array past what all entries may unpack to',
    reader: 'npz',
    make: () => zipOf('a.npy', zerosNpy(130 * MiB)),
  },
  {
    what: 'a checkpoint of 125 MiB of nothing',
    reader: 'pt',
    make: () => zipOf('archive/data.pkl', new Uint8Array(125 * MiB)),
  },
  {
    what: 'a million marks',
    reader: 'pickle',
    make: () => latin(`\x80\x02${'('.repeat(990_000)}.`),
  },
  {
    what: 'a million lists',
    reader: 'pickle',
    make: () => latin(`\x80\x02(${']'.repeat(990_000)}l.`),
  },
  {
    what: 'lists nested half a million deep',
    reader: 'pickle',
    make: () => latin(`\x80\x02${']'.repeat(490_000)}${'a'.repeat(489_999)}.`),
  },
  {
    what: 'tuples that double, twenty-eight times',
    reader: 'pickle',
    make: () => latin(`\x80\x02)${'2\x86'.repeat(28)}.`),
  },
  {
    what: 'a text doubled by lists and calls',
    reader: 'reprod_log',
    make: () => inside(`\x80\x03C\xff${'a'.repeat(255)}q\x00${'h\x00'.repeat(300_000)}.`),
  },
  {
    what: 'bytes encoded a hundred thousand times',
    reader: 'pickle',
    make: () =>
      latin(
        `\x80\x02(X\x00\x10\x00\x00${'a'.repeat(4096)}q\x00X\x06\x00\x00\x00latin1q\x01${'c_codecs\nencode\nh\x00h\x01\x86R'.repeat(30_000)}l.`,
      ),
  },
  {
    what: 'a size of 100,000 axes named by as many tensors',
    reader: 'pt',
    make: () =>
      torchOf(
        `\x80\x02(${'K\x01'.repeat(100_000)}tq\x000${storage}q\x010ctorch._utils\n_rebuild_tensor_v2\nq\x020(${'h\x02(h\x01K\x00h\x00h\x00tR'.repeat(60_000)}l.`,
      ),
  },
  {
    what: 'a key of a megabyte in every one of 100,000 dicts',
    reader: 'pt',
    make: () =>
      torchOf(`\x80\x02V${'k'.repeat(2 ** 20)}\nq\x000(${'}h\x00K\x01s'.repeat(100_000)}l.`),
  },
  {
    what: 'lists that double twenty-eight times, with a tensor in the innermost',
    reader: 'pt',
    make: () =>
      torchOf(
        `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(${storage}K\x00K\x01\x85K\x01\x85tR${'q\x00h\x00\x86'.repeat(28)}.`,
      ),
  },
  {
    what: 'a list that holds itself, and an object in its own state',
    reader: 'pt',
    make: () => torchOf(`\x80\x02]q\x00(h\x00h\x00ecm\nC\n)Rq\x01h\x01bh\x01h\x00\x87.`),
  },
  {
    what: 'a tensor rebuilt from itself, 100,000 deep',
    reader: 'pt',
    make: () =>
      torchOf(
        `\x80\x02ctorch._tensor\n_rebuild_from_type_v2\nq\x000N${'q\x010(h\x00Nh\x01t'.repeat(100_000)}q\x020h\x00h\x02R.`,
      ),
  },
  {
    what: 'one number as 60,000 tensors of 4 KiB',
    reader: 'pt',
    make: () =>
      torchOf(
        `\x80\x02${storage}q\x010ctorch._utils\n_rebuild_tensor_v2\nq\x020(${'h\x02(h\x01K\x00M\x00\x04\x85K\x00\x85tR'.repeat(60_000)}l.`,
      ),
  },
  {
    what: 'a header of 60,000 digits',
    reader: 'npy',
    make: () => npyHeader('<f4', [1]).map((b, i) => (i > 80 && i < 100 ? 0x39 : b)),
  },
  {
    what: 'a JSON header nested a hundred thousand deep',
    reader: 'safetensors',
    make: () => {
      const json = latin(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(json.byteLength));
      return concatBytes([length, json]);
    },
  },
  {
    what: 'a manifest nested a hundred thousand deep',
    reader: 'manifest',
    make: () => latin(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  },
  {
    what: 'a config.json nested a hundred thousand deep',
    reader: 'model config',
    make: () => latin(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  },
  {
    what: 'points nested a hundred thousand deep',
    reader: 'landscape points',
    make: () => latin(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n`),
  },
  {
    what: 'an archive with a gigabyte beside the data',
    reader: 'cifar archive',
    make: () => {
      const member = tarOf([{ path: 'tiny-bin/readme.html', content: new Uint8Array(512) }]);
      const header = Buffer.from(member.subarray(0, 512));
      header.write('07777777777', 124, 'latin1');
      header.write('        ', 148, 'latin1');
      header.write(
        `${header
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
        'latin1',
      );
      return gzipSync(concatBytes([header, new Uint8Array(256 * MiB)]));
    },
  },
  {
    what: 'an archive of links and of paths outside',
    reader: 'cifar archive',
    make: () =>
      gzipSync(
        tarOf([
          { path: 'tiny-bin/a.bin', type: 'SymbolicLink', linkpath: '/tmp/escaped' },
          { path: '../escaped', content: noise(64, 1) },
        ]),
      ),
  },
];
