import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors.ts';
import { tensor } from '../../tensor/tensor.ts';
import {
  anyMap,
  counting,
  expectSameMap,
  expectSameTensor,
  vector,
  vectorNames,
} from '../testdata/support.ts';
import { writeNpy } from './npy.ts';
import { readReprodLog, writeReprodLog } from './reprodLog.ts';

const read = (name: string) => readReprodLog(vector(name), name);

describe('files NumPy wrote', () => {
  it.each(vectorNames('reprod/protocol'))('%s', (name) => {
    expectSameMap(
      read(name),
      new Map([
        ['plain', counting('float32', [2, 3])],
        ['fortran', counting('float64', [2, 3])],
        ['big', counting('int32', [3])],
        ['zero_d', counting('float32', [])],
        ['scalar', counting('float32', [])],
        ['empty', counting('uint8', [0, 2])],
        ['flags', counting('bool', [4])],
        ['half', counting('float16', [2])],
      ]),
    );
  });

  it('as numpy.save writes a dict', () => {
    expectSameMap(read('reprod/numpy'), new Map([['loss', counting('float32', [1])]]));
  });
});

describe('the loss files the original port published', () => {
  it.each([
    ['reprod/published-paddle', [1], 2.2931900024414062],
    ['reprod/published-pytorch', [], 2.2931902408599854],
  ])('%s', (name, shape, loss) => {
    const logged = read(name);
    expect([...logged.keys()]).toEqual(['loss']);
    const [value] = logged.values();
    expectSameTensor(value, tensor('float32', shape, Float32Array.of(loss)));
  });
});

it('60,000 arrays in one file', { timeout: 30_000 }, () => {
  const map = new Map(
    Array.from({ length: 60_000 }, (_, i) => [`l${i}`, tensor('float32', [1], Float32Array.of(i))]),
  );
  const read = readReprodLog(writeReprodLog(map), 'x');
  expect(read.size).toBe(60_000);
  expectSameTensor(read.get('l59999'), map.get('l59999')!);
});

describe('refusals', () => {
  it.each([
    ['reprod/refused-text', "'loss' holds a Python str, not numbers"],
    ['reprod/refused-list', "'loss' holds a Python list, not numbers"],
    ['reprod/refused-objects', "'a' holds a Python ndarray, not numbers"],
    ['reprod/refused-complex', "'a' holds complex numbers (dtype c16), not numbers that can"],
    ['reprod/refused-text-array', "'a' holds text (dtype U3), not numbers"],
    ['reprod/refused-dates', "'a' holds dates (dtype M8), not numbers"],
    ['reprod/refused-key', 'key 3'],
    ['reprod/refused-global', "'a' holds a Python posix.system, not numbers"],
    ['reprod/refused-shape', 'holds 2 objects'],
  ])('%s', (name, line) => {
    expect(() => read(name)).toThrow(InputError);
    expect(() => read(name)).toThrow(line);
  });

  it('a plain array', () => {
    const file = writeNpy(counting('float32', [2]));
    expect(() => readReprodLog(file, 'a.npy')).toThrow('a.npy: holds a plain array (<f4)');
  });
});

describe('writing', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(anyMap, (map) => expectSameMap(readReprodLog(writeReprodLog(map), 'x'), map)),
    );
  });

  it('the same map gives the same bytes', () => {
    const map = new Map([['out', counting('float32', [2, 2])]]);
    expect(writeReprodLog(map)).toEqual(writeReprodLog(new Map(map)));
  });
});
