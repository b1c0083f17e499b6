import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeStored, storedTypes } from '../../io/torch/storedType.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { float32Between, ulpDistances } from './ulp.ts';

const pair = (a: Tensor, b: Tensor): number => ulpDistances(a, b)[0];
const double = (x: number): Tensor => tensor('float64', [1], Float64Array.of(x));

/** A float64's place among all, from its bits. */
function rank(x: number): bigint {
  const [bits] = new BigInt64Array(Float64Array.of(x).buffer);
  return bits < 0n ? -(bits & 0x7fff_ffff_ffff_ffffn) : bits;
}

describe('units in the last place', () => {
  it('count float32 neighbours, across zero too', () => {
    expect(float32Between(1, 1 + 2 ** -23)).toBe(1);
    expect(float32Between(1, 1 - 2 ** -24)).toBe(1);
    expect(float32Between(-(2 ** -149), 2 ** -149)).toBe(2);
    expect(float32Between(-0, 0)).toBe(0);
    expect(float32Between(Number.NaN, 1)).toBe(Infinity);
  });

  it('count float64 as their bits do, to the last where they are near', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, finite, (x, y) => {
        const apart = rank(x) - rank(y);
        const found = pair(double(x), double(y));
        const exact = Number(apart < 0n ? -apart : apart);
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(2 ** -52 * exact);
      }),
    );
    fc.assert(
      fc.property(finite, fc.integer({ min: -1000, max: 1000 }), (x, steps) => {
        const bits = rank(x) + BigInt(steps);
        const size = bits < 0n ? -bits : bits;
        const [y] = new Float64Array(BigInt64Array.of(size).buffer);
        fc.pre(Number.isFinite(y));
        expect(pair(double(x), double(bits < 0n ? -y : y))).toBe(Math.abs(steps));
      }),
    );
  });

  // The bits of a type, sign aside, are its numbers in order.
  it.each([
    ['bfloat16', 2],
    ['float8_e5m2', 1],
    ['float8_e4m3fn', 1],
    ['float8_e5m2fnuz', 1],
    ['float8_e4m3fnuz', 1],
    ['float16', 2],
  ] as const)('count %s by its own numbers', (name, width) => {
    const type = storedTypes.get(name)!;
    const signed = 2 ** (8 * width - 1);
    const of = (code: number): Tensor => {
      const bits = code < 0 ? -code + signed : code;
      const bytes = width === 1 ? Uint8Array.of(bits) : Uint8Array.of(bits & 255, bits >> 8);
      return decodeStored(type, [1], bytes);
    };
    const codes = fc.integer({ min: -signed + 1, max: signed - 1 });
    fc.assert(
      fc.property(codes, codes, (p, q) => {
        const [a, b] = [of(p), of(q)];
        const finite = ulpDistances(a, of(0))[0] < Infinity && ulpDistances(b, of(0))[0] < Infinity;
        fc.pre(finite);
        expect(pair(a, b)).toBe(Math.abs(p - q));
      }),
    );
  });

  it('are ones for integers, whatever their size', () => {
    const int64 = (n: bigint): Tensor => tensor('int64', [1], BigInt64Array.of(n));
    expect(pair(int64(2n ** 62n + 3n), int64(2n ** 62n))).toBe(3);
  });
});
