import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors.ts';
import { bytesOf, bytesPerElement } from '../../tensor/tensor.ts';
import { concatBytes } from '../concat.ts';
import { anyMap, counting, expectSameMap, shown, torchFiles, vector } from '../testdata/support.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { writeSafetensorsTo } from './safetensorsFile.ts';

/** A file with any header text. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
  return new Uint8Array(Buffer.concat([length, Buffer.from(text), Buffer.alloc(dataBytes)]));
}

const f32 = (shape: readonly number[], begin: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

it('reads a file made by the letter of the format, in header order', () => {
  const { tensors, metadata } = readSafetensors(vector('safetensors/two'), 'x');
  expectSameMap(
    tensors,
    new Map([
      ['b', counting('int64', [2])],
      ['a', counting('float32', [2, 3])],
    ]),
  );
  expect([...metadata]).toEqual([['format', 'pt']]);
});

describe('writing', () => {
  const map = new Map([
    ['flags', counting('bool', [3])],
    ['z', counting('float32', [2])],
    ['a', counting('float32', [])],
  ]);

  it('puts wide elements first in the data and keeps the order of the map in the header', () => {
    const bytes = writeSafetensors(map, { by: 'swa-align' });
    const length = Number(Buffer.from(bytes).readBigUInt64LE());
    expect(length % 8).toBe(0);
    const header = Buffer.from(bytes.subarray(8, 8 + length)).toString();
    expect(JSON.parse(header)).toEqual({
      __metadata__: { by: 'swa-align' },
      flags: { dtype: 'BOOL', shape: [3], data_offsets: [12, 15] },
      z: f32([2], 4, 12),
      a: f32([], 0, 4),
    });
    expectSameMap(readSafetensors(bytes, 'x').tensors, map);
  });

  it('gives back what was written', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((s) => !s.includes('\0'));
    const pairs = fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key });
    fc.assert(
      fc.property(anyMap, pairs, (tensors, metadata) => {
        const back = readSafetensors(writeSafetensors(tensors, Object.fromEntries(metadata)), 'x');
        expect(new Map(back.metadata)).toEqual(new Map(metadata));
        expect(new Set(back.tensors.keys())).toEqual(new Set(tensors.keys()));
        const inOrder = [...tensors.keys()].map((k) => [k, back.tensors.get(k)!] as const);
        expectSameMap(new Map(inOrder), tensors);
      }),
    );
  });

  it('takes metadata of any length', () => {
    const note = 'long '.repeat(10_000);
    const back = readSafetensors(writeSafetensors(map, { note }), 'x');
    expect(back.metadata.get('note')).toBe(note);
  });

  it('refuses metadata that would not come back', () => {
    expect(() => writeSafetensors(map, { note: 'half \ud800' })).toThrow(/metadata 'note'.*half/);
  });

  it('to a file gives the same bytes', () => {
    const directory = mkdtempSync(join(tmpdir(), 'swa-align-'));
    try {
      const path = join(directory, 'w.safetensors');
      writeSafetensorsTo(path, map);
      expect(new Uint8Array(readFileSync(path))).toEqual(writeSafetensors(map));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('refuses the one reserved name', () => {
    const reserved = new Map([['__metadata__', counting('int8', [1])]]);
    expect(() => writeSafetensors(reserved)).toThrow(InputError);
  });
});

it('takes metadata that are null, and keys in texts for what they are', () => {
  const none = readSafetensors(file({ __metadata__: null, a: f32([1], 0, 4) }, 4), 'x');
  expect([none.tensors.size, none.metadata.size]).toEqual([1, 0]);
  const note = { x: '","x":"', '\\': '\\', '\\"': '{"x":"\\"}', '{': '}' };
  const read = readSafetensors(file({ __metadata__: note, a: f32([1], 0, 4) }, 4), 'x');
  expect(Object.fromEntries(read.metadata)).toEqual(note);
});

describe('types without a tensor of ours', () => {
  const codes: readonly (readonly [code: string, name: string])[] = [
    ['BF16', 'bfloat16'],
    ['F8_E4M3', 'float8_e4m3fn'],
    ['F8_E4M3FNUZ', 'float8_e4m3fnuz'],
    ['F8_E5M2', 'float8_e5m2'],
    ['F8_E5M2FNUZ', 'float8_e5m2fnuz'],
    ['F8_E8M0', 'float8_e8m0fnu'],
  ];

  /** Every bit pattern of a float8, and of bfloat16 those with equal halves. */
  const patterns = (code: string) =>
    Uint8Array.from({ length: code === 'BF16' ? 512 : 256 }, (_, i) =>
      code === 'BF16' ? i >> 1 : i,
    );

  it.each(codes)('%s is read as PyTorch widens it', (code, name) => {
    const data = patterns(code);
    const entry = { dtype: code, shape: [256], data_offsets: [0, data.byteLength] };
    const header = file({ w: entry }, 0);
    const { tensors } = readSafetensors(concatBytes([header, data]), 'x');
    const { shown: recorded } = torchFiles.find((f) => f.name === `2.13 types/${name}`)!;
    expect(shown(tensors).w).toBe(recorded.w);
  });

  it('C64 is read as pairs', () => {
    const pairs = counting('float32', [3, 2]);
    const entry = { dtype: 'C64', shape: [3], data_offsets: [0, 24] };
    const bytes = concatBytes([file({ w: entry }, 0), bytesOf(pairs)]);
    expect(readSafetensors(bytes, 'x').tensors.get('w')).toEqual({ ...pairs, stored: 'complex64' });
  });
});

describe('memory', () => {
  it('is that of the file, and new only where an element lies on no multiple of its width', () => {
    fc.assert(
      fc.property(anyMap, fc.integer({ min: 0, max: 9 }), (map, shift) => {
        const written = writeSafetensors(map);
        const moved = new Uint8Array(written.length + shift);
        moved.set(written, shift);
        const { tensors } = readSafetensors(moved.subarray(shift), 'x');
        expect(tensors.size).toBe(map.size);
        for (const [name, { dtype, data }] of tensors) {
          expect(bytesOf(tensors.get(name)!)).toEqual(bytesOf(map.get(name)!));
          const fits = shift % bytesPerElement[dtype] === 0;
          expect(data.buffer === moved.buffer).toBe(fits);
        }
      }),
    );
  });

  it('leaves the bytes of a file as they are, whatever its bools hold', () => {
    const bytes = file({ a: { dtype: 'BOOL', shape: [2], data_offsets: [0, 2] } }, 2);
    bytes[bytes.length - 1] = 7;
    expect(readSafetensors(bytes, 'x').tensors.get('a')!.data).toEqual(Uint8Array.of(0, 1));
    expect(bytes.at(-1)).toBe(7);
  });
});

describe('refusals', () => {
  const one = JSON.stringify(f32([1], 0, 4));
  it.each([
    ['too short', new Uint8Array(7)],
    ['a header past the end', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)],
    ['no JSON', file('{', 0)],
    ['a list', file('[]', 0)],
    ['a number', file('1', 0)],
    ['leading blanks', file(' {}', 0)],
    ['deep nesting', file('['.repeat(200_000), 0)],
    ['metadata of numbers', file({ __metadata__: { a: 1 } }, 0)],
    ['metadata as a list', file({ __metadata__: ['a'] }, 0)],
    ['an entry of another shape', file({ a: { dtype: 'F32' } }, 0)],
    ['an unknown member', file({ a: { ...f32([1], 0, 4), more: 1 } }, 4)],
    ['a negative size', file({ a: f32([-1], 0, 4) }, 4)],
    ['a fraction', file({ a: f32([0.5], 0, 2) }, 2)],
    ['an absurd product', file({ a: f32([2 ** 40, 2 ** 40, 0], 0, 0) }, 0)],
    ['a wrong size', file({ a: f32([2], 0, 4) }, 4)],
    ['ends before it begins', file({ a: f32([1], 4, 0) }, 4)],
    ['past the data', file({ a: f32([2], 0, 8) }, 4)],
    ['bytes left over', file({ a: f32([1], 0, 4) }, 5)],
    ['a gap', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12)],
    ['an overlap', file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12)],
    ['the same bytes twice', file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4)],
    ['a name twice', file(`{"a":${one},"a":${one}}`, 4)],
    ['a name twice, once escaped', file(`{"a":${one},"\\u0061" :${one}}`, 4)],
    ['a field twice', file(`{"a":${one.replace('{', '{"dtype":"I32",')}}`, 4)],
    ['a note twice', file(`{"__metadata__":{"x":"1","y":"2","x":"1"}}`, 0)],
    ['metadata twice', file(`{"__metadata__":{},"__metadata__":null}`, 0)],
    ['a dtype without a tensor', file({ a: { ...f32([2], 0, 4), dtype: 'F4' } }, 4)],
    ['bfloat16 of another size', file({ a: { ...f32([2], 0, 8), dtype: 'BF16' } }, 8)],
  ])('%s', (_, bytes) => {
    expect(() => readSafetensors(bytes, 'x')).toThrow(InputError);
  });
});
