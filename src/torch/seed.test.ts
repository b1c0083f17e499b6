import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../io/sha256/sha256.ts';
import { generatorState, manualSeed } from './generator.ts';
import { bySeed, drawnBits, seedFrom, seedSchema } from './seed.ts';

interface Vectors {
  readonly seeds: Readonly<
    Record<string, { readonly initial_seed: string; readonly state: string }>
  >;
  readonly refused: readonly string[];
}

/** What PyTorch makes of them: test/vectors/make_seed_vectors.py. */
const vectors: Vectors = JSON.parse(
  readFileSync(
    fileURLToPath(new URL('../../test/vectors/seed-vectors.json', import.meta.url)),
    'utf8',
  ),
);

describe('seeds as PyTorch takes them', () => {
  it.each(Object.entries(vectors.seeds))('%s', (text, { initial_seed, state }) => {
    const generator = manualSeed(BigInt(seedFrom(text)!));
    expect(String(generator.seed)).toBe(initial_seed);
    expect(sha256Hex(generatorState(generator))).toBe(state);
  });

  it.each([...vectors.refused, '', '1.5', '1e3', '0x10', '--1', 'two', '1 2', '9'.repeat(1000)])(
    '%s is none',
    (text) => expect(seedFrom(text)).toBeUndefined(),
  );
});

const anySeed = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });

it('equal seeds are the same value, through text and JSON, to the last digit', () => {
  fc.assert(
    fc.property(anySeed, (value) => {
      const seed = seedFrom(` ${value >= 0n ? '+0' : ''}${value}`)!;
      expect(BigInt(seed)).toBe(value);
      expect(seedSchema.parse(JSON.parse(JSON.stringify(seed)))).toBe(seed);
      expect(seedFrom(String(seed))).toBe(seed);
    }),
  );
  expect(seedSchema.safeParse(JSON.parse('9007199254740993')).success).toBe(false);
});

it('sorts by value, and knows which seeds draw the same', () => {
  fc.assert(
    fc.property(anySeed, anySeed, (p, q) => {
      const [a, b] = [p, q].map((n) => seedFrom(String(n))!);
      expect(Math.sign(bySeed(a, b))).toBe(p < q ? -1 : p > q ? 1 : 0);
    }),
  );
  fc.assert(
    fc.property(anySeed, (value) => {
      const low = BigInt.asUintN(32, value);
      expect(drawnBits(seedFrom(String(value))!)).toBe(Number(low));
      expect(manualSeed(value).words).toEqual(manualSeed(low).words);
    }),
  );
});
