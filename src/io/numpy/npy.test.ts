import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { zeros } from '../../tensor/tensor.ts';
import {
  anyTensor,
  archives,
  counting,
  dtypeOfCode,
  expectSameTensor,
  shown,
  vector,
  vectorNames,
} from '../testdata/support.ts';
import { openNpy, readNpy, readNpyFile, writeNpy } from './npy.ts';

const read = (name: string) => readNpy(vector(name), name);
const plain = vectorNames('npy/').filter((n) => /^npy\/[a-z]\d(-big)?$/.test(n));

describe('files numpy.save wrote', () => {
  it.each(plain)('%s', (name) => {
    expectSameTensor(read(name), counting(dtypeOfCode(name.slice(4, 6)), [2, 3]));
  });

  it.each([
    ['npy/f4-v2', counting('float32', [2, 3])],
    ['npy/f4-v3', counting('float32', [2, 3])],
    ['npy/f8-0d', counting('float64', [])],
    ['npy/f4-empty', counting('float32', [0, 3])],
    ['npy/i4-vector', counting('int32', [5])],
    ['npy/f4-fortran', counting('float32', [2, 3, 4])],
    ['npy/i8-fortran-big', counting('int64', [3, 2])],
  ])('%s', (name, expected) => expectSameTensor(read(name), expected));

  it.each([
    ['npy/refused-object', 'objects'],
    ['npy/refused-text', 'text'],
    ['npy/refused-complex', 'complex'],
    ['npy/refused-records', 'records'],
  ])('%s is refused in one line', (name, word) => {
    expect(() => read(name)).toThrow(InputError);
    expect(() => read(name)).toThrow(word);
  });
});

describe('files by other writers', () => {
  it.each([...archives].filter(([name]) => name.startsWith('descr/') || name.endsWith('.npy')))(
    '%s as NumPy reads it',
    (name, archive) => {
      expect(shown(openNpy(archive.file, name).tensors)).toEqual(archive.shown);
    },
  );

  it('says what stands behind the array, and refuses it where the array must be all', () => {
    const { file } = archives.get('trailing.npy')!;
    expect(openNpy(file, 'x').notes).toEqual(['4 bytes behind the array are left out']);
    expect(() => readNpy(file, 'x')).toThrow('x: 4 bytes behind the array');
  });
});

describe('writing', () => {
  const little = plain.filter((n) => !n.endsWith('-big'));
  it.each([...little, 'npy/f8-0d', 'npy/f4-empty', 'npy/i4-vector'])('%s byte for byte', (name) => {
    expect(writeNpy(read(name))).toEqual(vector(name));
  });

  it('gives back what was written', () => {
    fc.assert(fc.property(anyTensor, (t) => expectSameTensor(readNpy(writeNpy(t), 'x'), t)));
  });

  it('leaves the source alone: a tensor read shares no memory with the file', () => {
    const file = writeNpy(counting('float32', [3]));
    const t = readNpy(file, 'x');
    file.fill(0xff);
    expectSameTensor(t, counting('float32', [3]));
  });
});

/** A version 1.0 file with any header text. */
function withHeader(text: string, data: number): Uint8Array {
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${text}\n`, 'latin1');
  head.writeUInt16LE(text.length + 1, 8);
  return new Uint8Array(Buffer.concat([head, Buffer.alloc(data)]));
}

describe('headers', () => {
  const header = (shape: string, descr = "'<f4'", order = 'False') =>
    `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

  it.each([
    ['Python 2 longs', header('(2L, 3L)'), 24, [2, 3]],
    ['double quotes', header('(2,)').replaceAll("'", '"'), 8, [2]],
    ['another order of keys', `{"shape": (), "descr":'<f4',"fortran_order":True}`, 4, []],
    ['no byte order', header('(2,)', "'f4'"), 8, [2]],
  ])('%s are read, unaligned data too', (_, text, data, shape) => {
    const t = readNpy(withHeader(text, data), 'x');
    expectSameTensor(t, zeros('float32', shape) as Tensor);
  });

  it.each([
    ['a number for a shape', header('(2)')],
    ['a negative size', header('(-2,)')],
    ['an absurd size', header('(99999999999999999999,)')],
    ['an absurd product', header('(4294967296, 4294967296, 0)')],
    ['too many axes', header(`(${'1, '.repeat(65)})`)],
    ['a key twice', header("(2,), 'shape': (2,)")],
    ['a key too many', header("(2,), 'more': True")],
    ['no dict', 'numpy'],
    ['nothing', ''],
    ['code', header('__import__("os")')],
    ['a wrong length', header('(3,)')],
  ])('%s is refused', (_, text) => {
    expect(() => readNpy(withHeader(text, 8), 'x')).toThrow(InputError);
  });

  it('names both lengths when a file is cut short', () => {
    expect(() => readNpy(vector('npy/f4').slice(0, -1), 'cut.npy')).toThrow(
      'cut.npy: shape (2, 3) of <f4 needs 24 bytes, the file has 23',
    );
  });

  it('names the file that is not there', () => {
    expect(() => readNpyFile('/nowhere/a.npy')).toThrow(
      '/nowhere/a.npy: no such file or directory',
    );
  });
});

it('reads any non-zero byte of a bool array as true', () => {
  const file = vector('npy/b1');
  file.fill(2, file.byteLength - 1);
  expect(readNpy(file, 'x').data.at(-1)).toBe(1);
});
