import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { noise, tinyBytes } from '../../src/data/download/testdata/archives.ts';
import { concatBytes } from '../../src/io/concat.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors/safetensors.ts';
import { counting, torchFiles, vector, vectorNames } from '../../src/io/testdata/support.ts';
import { readZip } from '../../src/io/zip/zip.ts';
import { isZip } from '../../src/io/zip/zipDirectory.ts';
import { zipChunks } from '../../src/io/zip/zipWriter.ts';
import { openKeptPoints } from '../../src/landscape/keptPoints.ts';
import type { TensorMap } from '../../src/tensor/tensor.ts';
import { checkpointDigest, writeCheckpoint } from '../../src/train/checkpoint/checkpoint.ts';
import { recipe } from '../../src/train/settings/trainingSettings.ts';
import { jsonMutants, type Language, type Mutant, mutants, often } from './mutate.ts';
import type { ReaderName } from './readers.ts';
import { landscapeSettings } from './seeds.ts';

const npyLanguage: Language = {
  dictionary: [
    "'descr': ",
    "'|O'",
    "'<f8'",
    "'>i2'",
    "'<c16'",
    'True',
    '(',
    ')',
    ', ',
    '\x93NUMPY',
    'L,',
  ],
};

/** Instructions and whole phrases: a mark, calls, memo, lengths that lie, globals that must not be called. */
const pickleLanguage: Language = {
  dictionary: [
    '(',
    ')',
    ']',
    '}',
    't',
    'l',
    'd',
    'e',
    'u',
    'a',
    's',
    '0',
    '1',
    '2',
    'R',
    'o',
    'b',
    '.',
    'N',
    '\x80\x05',
    '\x81',
    '\x85',
    '\x86',
    '\x87',
    '\x8f',
    '\x90',
    '\x91',
    '\x92',
    '\x93',
    '\x94',
    '\x97',
    'h\x00',
    'q\x00',
    'j\xff\xff\xff\xff',
    'r\xff\xff\xff\x7f',
    'X\xff\xff\xff\x7f',
    'B\xff\xff\xff\xff',
    '\x8d\xff\xff\xff\xff\xff\xff\xff\x7f',
    '\x8e\x00\x00\x00\x00\x01\x00\x00\x00',
    '\x8b\xff\xff\xff\x7f',
    '\x95\xff\x00\x00\x00\x00\x00\x00\x00',
    'K\xff',
    'J\xff\xff\xff\xff',
    'I01\n',
    'L9L\n',
    'F1e999\n',
    'cos\nsystem\n',
    'cbuiltins\neval\n(S"1"\ntR',
    'cnumpy\nndarray\n',
    'cnumpy.core.multiarray\nscalar\n',
    '\x8c\x08builtins\x8c\x04exec\x93',
    'c_codecs\nencode\n',
    'cbuiltins\nbytearray\n',
    'Pid\n',
    'Q',
    'ccollections\nOrderedDict\n',
    'ctorch._utils\n_rebuild_tensor_v2\n',
    'ctorch._tensor\n_rebuild_from_type_v2\n',
    'X\x03\x00\x00\x00neg\x88s',
    'ctorch\nBFloat16Storage\n',
    'K\x00K\x01\x86',
    'h\x00h\x00\x86q\x00',
  ],
};

const zipLanguage: Language = {
  signatures: ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07'],
  dictionary: ['PK\x01\x02', 'PK\x05\x06', 'PK\x06\x06', '../', '/', '.npy', '\xff\xff\xff\xff'],
};

const jsonLanguage: Language = {
  dictionary: [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"__proto__":',
    '"constructor":',
    '-',
    'e9',
    '\\u0000',
    'null',
  ],
};

const anyOf = (files: readonly Uint8Array[], language: Language): Mutant =>
  fc.constantFrom(...files).chain((file) => often(file, (f) => mutants(f, files, language)));

/** One entry damaged and packed again, its checksum right: what is inside is reached. */
const repacked = (archives: readonly Uint8Array[], entry: Language): Mutant =>
  fc.constantFrom(...archives).chain((archive) => {
    const entries = [...readZip(archive, 'archive', { unchecked: 'all zero' })].map(
      ([name, e]) => ({
        name,
        bytes: e.read(),
      }),
    );
    return fc.tuple(fc.constantFrom(...entries), fc.boolean()).chain(([chosen, compress]) =>
      often(chosen.bytes, (f) =>
        mutants(
          f,
          entries.map((e) => e.bytes),
          entry,
        ),
      ).map((bytes) =>
        concatBytes(
          zipChunks(
            entries.map((e) => ({ name: e.name, chunks: [e === chosen ? bytes : e.bytes] })),
            { compress },
          ),
        ),
      ),
    );
  });

const zips = (archives: readonly Uint8Array[], entry: Language): Mutant =>
  fc.oneof(anyOf(archives, zipLanguage), repacked(archives, entry));

/** A damaged JSON header whose length fits again, before the same data. */
const reheaded = (file: Uint8Array): Mutant => {
  const size = Number(Buffer.from(file).readBigUInt64LE(0));
  const header = Buffer.from(file.subarray(8, 8 + size)).toString('utf8');
  return jsonMutants(header).map((json) => {
    const text = Buffer.from(json);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.byteLength));
    return concatBytes([length, text, file.subarray(8 + size)]);
  });
};

/** What `write` makes of a path in a folder of its own. */
function written(name: string, write: (path: string) => void): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), 'swa-align-fuzz-seed-'));
  try {
    const path = join(dir, name);
    write(path);
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const checkpointFile = (): Uint8Array =>
  written('checkpoint-1.safetensors', (path) => {
    const weights: TensorMap = new Map([['features.0.weight', counting('float32', [2, 3])]]);
    const position = { epoch: 1, step: 0, seeds: { baseSeed: 7n }, generator: new Uint8Array(64) };
    writeCheckpoint(path, {
      settings: recipe,
      backend: 'ort',
      data: { train: 'a', test: 'b' },
      position,
      sums: { loss: 1.5, correct: 2 },
      rows: [{ epoch: 1, lr: 0.05, trainLoss: 2.3, trainAccuracy: 10 }],
      weights,
      momenta: new Map([['features.0.weight.momentum', counting('float32', [2, 3])]]),
      averaged: 1,
      average: weights,
    });
  });

const pointsFile = (): Uint8Array =>
  written('plane.points.jsonl', (path) => {
    const kept = openKeptPoints(path, landscapeSettings);
    for (const trainLoss of [1.5, Number.NaN, 5e-324]) {
      kept.add({ trainLoss, trainWrong: 3, testLoss: 0.1, testWrong: 4, norm: 12.5 });
    }
  });

/** Damaged metadata under a digest that is right again. */
const resealed = (file: Uint8Array): Mutant => {
  const { tensors, metadata } = readSafetensors(file, 'checkpoint');
  return fc
    .tuple(fc.constantFrom(...metadata.keys()), fc.string({ maxLength: 20 }), fc.boolean())
    .chain(([key, text, nested]) => {
      const value = metadata.get(key)!;
      const json = nested && value.startsWith('{');
      return (
        json ? jsonMutants(value) : fc.constantFrom(text, '-1', '1e3', '9'.repeat(20), '0')
      ).map((changed) => {
        const pairs = { ...Object.fromEntries(metadata), [key]: changed };
        return writeSafetensors(tensors, { ...pairs, sha256: checkpointDigest(tensors, pairs) });
      });
    });
};

const cifarFile = (): Uint8Array => {
  const records = [0, 1, 2].map((label) =>
    Buffer.concat([Buffer.from([label]), noise(3072, label)]),
  );
  return new Uint8Array(Buffer.concat(records));
};

/** The archive's tar damaged, its headers' checksums put right, and zipped again. */
const rezipped = (archive: Uint8Array): Mutant => {
  const tar = new Uint8Array(gunzipSync(archive));
  const signatures = ['tiny-bin/', 'ustar'];
  const dictionary = [
    '../',
    '/etc/',
    '/tmp/x',
    'tiny-bin/',
    '\0',
    '5',
    '2',
    '1',
    'K',
    'x',
    'g',
    '7777777',
  ];
  return fc
    .tuple(
      often(tar, (f) => mutants(f, [], { signatures, dictionary })),
      fc.boolean(),
    )
    .map(([bytes, mend]) => {
      const damaged = Buffer.from(bytes);
      for (let at = 0; mend && at + 512 <= damaged.byteLength; at += 512) {
        if (damaged.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
        damaged.write('        ', at + 148, 'latin1');
        const sum = damaged.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
        damaged.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
      }
      return new Uint8Array(gzipSync(damaged));
    });
};

/** Files of a format that are read; those that are refused already need no damage. */
const good = (prefix: string): Uint8Array[] =>
  vectorNames(prefix)
    .filter((name) => !name.includes('refused'))
    .map(vector);

const committed = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url))));

/** Of both versions of PyTorch, whatever they hold. */
const torch = torchFiles.map(({ file }) => file);
const safetensors = vector('safetensors/two');
const checkpoint = checkpointFile();
const manifest = committed('fixtures/reference/vgg16bn/manifest.json');
const modelConfig = committed('examples/models/vgg16bn-narrow8-cifar10-jpeg/config.json');

/** Bytes and phrases of a JSON file damaged, or what it says. */
const json = (file: Uint8Array): Mutant =>
  fc.oneof(
    anyOf([file], jsonLanguage),
    jsonMutants(Buffer.from(file).toString('utf8')).map(
      (text) => new Uint8Array(Buffer.from(text)),
    ),
  );

/** Damaged files of every format: bytes, fields, numbers, words, and parts put right around the damage. */
export const damaged: { readonly [R in ReaderName]: Mutant } = {
  npy: anyOf(good('npy/'), npyLanguage),
  npz: zips(good('npz/'), npyLanguage),
  reprod_log: anyOf(good('reprod/'), {
    dictionary: [...npyLanguage.dictionary!, ...pickleLanguage.dictionary!],
  }),
  pickle: anyOf(good('pickle/'), pickleLanguage),
  pt: zips(torch.filter(isZip), pickleLanguage),
  'legacy pt': anyOf(
    torch.filter((file) => !isZip(file)),
    pickleLanguage,
  ),
  safetensors: fc.oneof(anyOf([safetensors], jsonLanguage), reheaded(safetensors)),
  checkpoint: fc.oneof(
    anyOf([checkpoint], jsonLanguage),
    reheaded(checkpoint),
    resealed(checkpoint),
  ),
  cifar: anyOf([cifarFile()], {}),
  'cifar archive': fc.oneof(anyOf([new Uint8Array(tinyBytes)], {}), rezipped(tinyBytes)),
  manifest: json(manifest),
  'model config': json(modelConfig),
  'landscape points': anyOf([pointsFile()], jsonLanguage),
};
