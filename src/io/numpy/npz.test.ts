import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors.ts';
import { zeros } from '../../tensor/tensor.ts';
import { anyMap, archives, counting, expectSameMap, shown, vector } from '../testdata/support.ts';
import { weightsOf } from '../weights.ts';
import { crc32, crc32Plain } from '../zip/crc32.ts';
import { writeNpy } from './npy.ts';
import { openNpz, readNpz, writeNpz } from './npz.ts';

const arrays = new Map([
  ['f32/features.0.weight', counting('float32', [2, 3])],
  ['label', counting('int64', [4])],
]);

it.each(['npz/stored', 'npz/deflated'])('%s, as NumPy wrote it', (name) => {
  expectSameMap(readNpz(vector(name), name), arrays);
});

describe('writing', () => {
  it.each([true, false])('gives back what was written, compress %s', (compress) => {
    fc.assert(
      fc.property(anyMap, (map) => expectSameMap(readNpz(writeNpz(map, { compress }), 'x'), map)),
    );
  });

  it('gives the same bytes for the same map', () => {
    expect(writeNpz(arrays)).toEqual(writeNpz(new Map(arrays)));
    expect(writeNpz(arrays).subarray(10, 14)).toEqual(Uint8Array.of(0, 0, 0x21, 0));
  });

  it('takes 200 MB', { timeout: 30_000 }, () => {
    const big = new Map([0, 1, 2, 3].map((i) => [`w${i}`, zeros('float32', [12_500, 1000])]));
    const file = writeNpz(big);
    expect(file.byteLength).toBeGreaterThan(200_000_000);
    expect(readNpz(file, 'x').get('w3')?.data.length).toBe(12_500_000);
  });

  it.each(['a\0b', '\ud800', 'x'.repeat(1025)])('refuses a name no zip can carry', (name) => {
    expect(() => writeNpz(new Map([[name, counting('int8', [1])]]))).toThrow(InputError);
  });
});

describe('archives by other writers', () => {
  const opened = (name: string) => openNpz(archives.get(name)!.file, `${name}.npz`);

  it.each(['without-suffix', 'same-name', 'same-name-thrice', 'macos', 'trailing', 'mixed'])(
    '%s: what NumPy shows of it, each array under a name of its own',
    (name) => expect(shown(opened(name).tensors)).toEqual(archives.get(name)!.shown),
  );

  it('says what it leaves out', () => {
    expect(opened('without-suffix').notes).toEqual([]);
    expect(opened('macos').notes).toEqual([
      "'__MACOSX/._a.npy', '__MACOSX/layer/._b.npy', '.DS_Store' are left out: no arrays",
    ]);
    expect(opened('trailing').notes).toEqual(["'a': 4 bytes behind the array are left out"]);
    const { unread } = opened('mixed');
    expect([...unread].map(([name, { what }]) => [name, what])).toEqual([
      ['text', 'text (dtype <U2)'],
      ['objects', 'pickled Python objects (dtype |O)'],
      ['complex', 'complex numbers (dtype <c16)'],
    ]);
  });

  it('as weights: all that is numbers, and the rest is said', () => {
    const weights = (name: string) => weightsOf(archives.get(name)!.file, `${name}.npz`);
    expect(shown(weights('macos').tensors)).toEqual(archives.get('macos')!.shown);
    expect(weights('macos').notes).toEqual(opened('macos').notes);
    expect(shown(weights('mixed').tensors)).toEqual(archives.get('mixed')!.shown);
    expect(weights('mixed').notes).toContain(
      "'objects' holds pickled Python objects (dtype |O), which is left out",
    );
  });

  it.each(['macos', 'trailing', 'mixed'])('%s: refused where all of it is needed', (name) => {
    expect(() => readNpz(archives.get(name)!.file, 'x')).toThrow(InputError);
  });

  it('without a single array of numbers it is refused, with a way out', () => {
    expect(() => opened('dict')).toThrow(
      "dict.npz: 'arr_0' holds pickled Python objects (dtype |O), not numbers that can be read; if it is a dict of arrays, numpy.savez(file, **dict) saves each under its name",
    );
    expect(() => opened('only-text')).toThrow("'names' holds text (dtype <U1)");
    const npy = writeNpy(counting('int8', [3]));
    expect(() => readNpz(zipSync({ 'a.txt': npy.slice(1) }), 'x')).toThrow("it holds 'a.txt'");
    expect(readNpz(zipSync({}), 'x').size).toBe(0);
  });

  it('an array cut short is damage, whatever else there is', () => {
    const npy = writeNpy(counting('int8', [3]));
    const file = zipSync({ 'good.npy': npy, 'bad.npy': npy.slice(0, -1) }, { level: 0 });
    expect(() => openNpz(file, 'x.npz')).toThrow('x.npz: bad: shape (3) of |i1 needs 3 bytes');
  });
});

/** The last central directory record's offset, found from the end record. */
const centralOf = (file: Uint8Array) =>
  new DataView(file.buffer, file.byteOffset).getUint32(file.byteLength - 6, true);

describe('hostile archives', () => {
  it('a bomb is refused before it is unpacked', () => {
    const bomb = zipSync({ 'a.npy': new Uint8Array(320 * 2 ** 10) }, { level: 0 });
    const view = new DataView(bomb.buffer);
    view.setUint16(centralOf(bomb) + 10, 8, true);
    view.setUint32(centralOf(bomb) + 24, 300 * 2 ** 20, true);
    expect(() => readNpz(bomb, 'x')).toThrow('unpacks to 300 MiB, more than the 128 MiB');
  });

  it.each([
    ['more than it declares', 20_000],
    ['less than it declares', 40_000],
    ['a size deflate cannot reach', 2 ** 27],
  ])('%s', (_, declared) => {
    const file = zipSync({ 'a.npy': new Uint8Array(30_000) });
    new DataView(file.buffer).setUint32(centralOf(file) + 24, declared, true);
    expect(() => readNpz(file, 'x')).toThrow(InputError);
  });

  it('overlapping entries, as the densest bombs use them', () => {
    const file = zipSync({ 'a.npy': writeNpy(counting('int8', [3])), 'b.npy': new Uint8Array(3) });
    const view = new DataView(file.buffer);
    const second = centralOf(file) + 46 + 5;
    view.setUint32(second + 42, view.getUint32(centralOf(file) + 42, true), true);
    file[second + 46] = 97;
    expect(() => readNpz(file, 'x')).toThrow(/twice|overlap/);
  });

  it('the same name twice', () => {
    const file = zipSync({ 'a.npy': new Uint8Array(3), 'b.npy': new Uint8Array(3) }, { level: 0 });
    const text = Buffer.from(file.buffer);
    for (let at = text.indexOf('b.npy'); at >= 0; at = text.indexOf('b.npy')) text[at] = 97;
    expect(() => readNpz(file, 'x')).toThrow("entry 'a.npy' is there twice");
  });
});

it('the plain CRC-32 agrees with the native one and the published check value', () => {
  expect(crc32Plain(Buffer.from('123456789'))).toBe(0xcbf43926);
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(crc32Plain(bytes)).toBe(crc32(bytes));
    }),
  );
});
