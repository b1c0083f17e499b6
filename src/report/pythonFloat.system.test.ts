import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pythonHas } from '../../test/support/pythons.ts';
import { pythonFloat } from './pythonFloat.ts';

const hasPython = pythonHas([]);

describe('floats as Python writes them', () => {
  it.each([
    [1.5537564568290918e-9, '1.5537564568290918e-09'],
    [2.384185791015625e-7, '2.384185791015625e-07'],
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [100, '100.0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [123456.789, '123456.789'],
    [1e-100, '1e-100'],
    [Number.NaN, 'nan'],
    [-Infinity, '-inf'],
  ])('%d', (value, text) => {
    expect(pythonFloat(value)).toBe(text);
  });

  it('reads back as the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Number(pythonFloat(x))).toBe(x);
      }),
    );
  });

  it.skipIf(!hasPython)('is Python’s own repr (needs python3)', () => {
    const values = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 2000);
    const hex = values.map((x) => Buffer.from(Float64Array.of(x).buffer).toString('hex'));
    const script =
      'import sys,struct\nfor l in sys.stdin: print(repr(struct.unpack("<d",bytes.fromhex(l.strip()))[0]))';
    const { stdout } = spawnSync('python3', ['-c', script], { input: hex.join('\n') });
    expect(values.map(pythonFloat)).toEqual(stdout.toString().trim().split('\n'));
  });
});
