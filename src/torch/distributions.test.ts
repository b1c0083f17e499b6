import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bits64Of,
  bitsOf,
  expectFloats,
  expectState,
  maskText,
  sha256,
  torchVectors,
} from '../../test/vectors/torchVectors.ts';
import { bernoulli } from './bernoulli.ts';
import { dropoutMask, dropoutScale } from './dropout.ts';
import { fusedMultiplyAdd } from './float32.ts';
import { generatorState, manualSeed, skipU32, type TorchGenerator } from './generator.ts';
import { randint, randomInt64, randperm } from './integers.ts';
import { normal, skipNormal } from './normal.ts';
import { nextFloat64, rand, uniform } from './uniform.ts';

const times = <T>(n: number, draw: () => T): T[] => Array.from({ length: n }, draw);

function normals(g: TorchGenerator, n: number, mean: number, std: number): Float32Array {
  const out = new Float32Array(n);
  normal(g, out, mean, std);
  return out;
}

function uniforms(g: TorchGenerator, n: number, from: number, to: number): Float32Array {
  const out = new Float32Array(n);
  uniform(g, out, from, to);
  return out;
}

describe.each(Object.entries(torchVectors.seeds))('seed %s as PyTorch', (seed, vectors) => {
  const seeded = () => manualSeed(Number(seed));

  test('randint', () => {
    const g = seeded();
    expect(times(20, () => randint(g, 0, 9))).toEqual(vectors.randint_0_9);
  });

  test('random_', () => {
    const g = seeded();
    expect(times(5, () => String(randomInt64(g)))).toEqual(vectors.random__int64);
  });

  test('rand', () => {
    expect(bitsOf(rand(seeded(), 10))).toEqual(vectors.rand_f32);
    const g = seeded();
    expect(bits64Of(Float64Array.from(times(10, () => nextFloat64(g))))).toEqual(vectors.rand_f64);
  });

  test('uniform_', () => {
    expect(bitsOf(uniforms(seeded(), 10, -0.1, 0.1))).toEqual(vectors['uniform_-0.1_0.1_f32']);
    expectFloats(uniforms(seeded(), 2000, 0.3, 2.7), vectors['uniform_0.3_2.7_f32']);
    const { bound_f64, bound_f32, ...expected } = vectors.uniform_pm_1_over_sqrt27_f32;
    const bound = 1 / Math.sqrt(27);
    expect(bits64Of(Float64Array.of(bound))).toEqual([bound_f64]);
    expect(bitsOf(Float32Array.of(bound))).toEqual([bound_f32]);
    expectFloats(uniforms(seeded(), 2000, -bound, bound), expected);
  });

  test('randperm', () => {
    for (const n of [1, 2, 5, 10] as const) {
      expect(Array.from(randperm(seeded(), n))).toEqual(vectors[`randperm_${n}`]);
    }
    const expected = vectors.randperm_50000;
    const order = randperm(seeded(), 50000);
    expect(Array.from(order.subarray(0, 12))).toEqual(expected.head);
    expect(Array.from(order.subarray(-6))).toEqual(expected.tail);
    expect(sha256(order)).toBe(expected.sha256_i32le);
    expect(sha256(BigInt64Array.from(order, BigInt))).toBe(expected.sha256_i64le);
  });

  test.each([0.5, 0.9] as const)('bernoulli_(%s)', (p) => {
    const expected = vectors[`bernoulli_${p}`];
    const mask = bernoulli(seeded(), 4096, p);
    expect(maskText(mask.subarray(0, 64))).toBe(expected.head);
    expect(mask.reduce((sum, kept) => sum + kept, 0)).toBe(expected.sum);
    expect(sha256(mask)).toBe(expected.sha256_u8);
  });

  test.each(Object.entries(vectors['normal_0_std0.0589255']))(
    'normal_ of %s elements',
    (n, expected) => {
      expect(bitsOf(normals(seeded(), Number(n), 0, Math.sqrt(2 / (9 * 64))))).toEqual(expected);
    },
  );

  test('normal_ of many elements', () => {
    expectFloats(normals(seeded(), 100003, 0, 1), vectors.normal_0_1_n100003);
    expectFloats(normals(seeded(), 4096, 0.25, 1.7), vectors['normal_0.25_1.7_n4096']);
  });

  test('the cached normal outlives a larger tensor', () => {
    const expected = vectors['normal_seq_n3_n32_n2(mean1,std2)_cache'];
    const g = seeded();
    expect(bitsOf(normals(g, 3, 0, 1))).toEqual(expected.a);
    expect(bitsOf(normals(g, 32, 0, 1).subarray(0, 4))).toEqual(expected.b_head);
    expect(bitsOf(normals(g, 2, 1, 2))).toEqual(expected.c);
    expectState(g, expected.state);
  });

  test('dropout', () => {
    const wide = vectors['Dropout0.5_ones_4x64'];
    expect(maskText(dropoutMask(seeded(), 0.5, 4 * 64))).toBe(wide.mask);
    expect(bitsOf(Float32Array.of(dropoutScale(0.5)))).toEqual([wide.kept_value]);
    const narrow = vectors['Dropout0.3_ones_64'];
    expect(maskText(dropoutMask(seeded(), 0.3, 64))).toBe(narrow.mask);
    expect(bitsOf(Float32Array.of(dropoutScale(0.3)))).toEqual([narrow.kept_value]);
  });
});

test('dropout of nothing and of everything draws nothing', () => {
  const g = manualSeed(3);
  const before = generatorState(g);
  expect(maskText(dropoutMask(g, 0, 3))).toBe('111');
  expect(maskText(dropoutMask(g, 1, 3))).toBe('000');
  expect(dropoutScale(0)).toBe(1);
  expect(dropoutScale(1)).toBe(0);
  expect(generatorState(g)).toEqual(before);
});

test('randperm is a permutation and draws n - 1 times', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(300), (seed, n) => {
      const g = manualSeed(seed);
      const order = randperm(g, n);
      expect(Array.from(order).sort((a, b) => a - b)).toEqual(times(n, () => 0).map((_, i) => i));
      const skipped = manualSeed(seed);
      skipU32(skipped, Math.max(0, n - 1));
      expect(sha256(generatorState(g))).toBe(sha256(generatorState(skipped)));
    }),
  );
  expect(() => randperm(manualSeed(0), 1.5)).toThrow(RangeError);
  expect(() => randperm(manualSeed(0), 2 ** 31)).toThrow(RangeError);
});

test('skipNormal leaves the generator as normal does', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.nat(70), { maxLength: 5 }), (seed, sizes) => {
      const made = manualSeed(seed);
      const skipped = manualSeed(seed);
      for (const size of sizes) {
        normals(made, size, 1, 2);
        skipNormal(skipped, size);
      }
      expect(sha256(generatorState(skipped))).toBe(sha256(generatorState(made)));
    }),
  );
});

test('a normal is never minus zero', () => {
  const many = normals(manualSeed(0), 160_000, 0, 1);
  expect(many.some((x) => Object.is(x, -0))).toBe(false);
});

/** a·b + c as an exact integer multiple of 2^-400, rounded once to 24 bits, ties to even. */
function exactFma(a: number, b: number, c: number): number {
  const scaled = (x: number, shift: number): bigint => {
    const e = x === 0 ? 0 : Math.max(-149, Math.floor(Math.log2(Math.abs(x))) - 24);
    return BigInt(x / 2 ** e) << BigInt(e + shift);
  };
  const sum = scaled(a, 200) * scaled(b, 200) + scaled(c, 400);
  const magnitude = sum < 0n ? -sum : sum;
  const extra = BigInt(Math.max(0, magnitude.toString(2).length - 24));
  const kept = magnitude >> extra;
  const rest = magnitude - (kept << extra);
  const halfway = extra === 0n ? 1n : 1n << (extra - 1n);
  const up = rest > halfway || (rest === halfway && (kept & 1n) === 1n);
  const value = Number(kept + (up ? 1n : 0n)) * 2 ** (Number(extra) - 400);
  return sum < 0n ? -value : value;
}

test('fusedMultiplyAdd rounds once', () => {
  const float = fc
    .tuple(fc.integer({ min: -(2 ** 24), max: 2 ** 24 }), fc.integer({ min: -40, max: 10 }))
    .map(([m, e]) => m * 2 ** e);
  fc.assert(
    fc.property(float, float, float, (a, b, c) => {
      expect(fusedMultiplyAdd(a, b, c) + 0).toBe(exactFma(a, b, c) + 0);
    }),
    { numRuns: 1000 },
  );
});

test('fusedMultiplyAdd rounds once beside a midpoint that float64 rounds onto', () => {
  let different = 0;
  for (let i = 0; i < 500; i++) {
    const a = 1 + (i * 12345 + 1) * 2 ** -23;
    const b = Math.fround(2 ** -24 / a);
    for (const sign of [1, -1]) {
      const fused = fusedMultiplyAdd(sign * a, b, sign);
      expect(fused).toBe(exactFma(sign * a, b, sign));
      if (fused !== Math.fround(sign * a * b + sign)) different++;
    }
  }
  expect(different).toBeGreaterThan(10);
});
