import { z } from 'zod';

/**
 * A seed of `torch.manual_seed`, from −2^63 to 2^64 − 1: a number where that is exact, else its decimal digits.
 * So it is one thing in settings, JSON, file names and messages, and equal seeds are the same value.
 */
export type Seed = number | string;

const DIGITS = /^[+-]?\d{1,40}$/;
const [lowest, highest] = [-(2n ** 63n), 2n ** 64n - 1n];

/** The seed that a text or number means; undefined for none. */
export function seedFrom(value: string | number): Seed | undefined {
  const text = String(value).trim();
  if (!DIGITS.test(text)) return undefined;
  const seed = BigInt(text.replace(/^\+/, ''));
  if (seed < lowest || seed > highest) return undefined;
  return Number.isSafeInteger(Number(seed)) ? Number(seed) : String(seed);
}

/** In JSON. A number beyond 2^53 has lost its last digits on the way, so only text is taken there. */
export const seedSchema = z.union([z.int(), z.string()]).transform((value, issues): Seed => {
  const seed = seedFrom(value);
  if (seed !== undefined) return seed;
  issues.addIssue({ code: 'custom', message: 'is not a whole number from -2^63 to 2^64 - 1' });
  return z.NEVER;
});

/** PyTorch's CPU generator looks at no more of a seed: those that share it draw the same. */
export const drawnBits = (seed: Seed): number => Number(BigInt.asUintN(32, BigInt(seed)));

/** From small to large. */
export const bySeed = (a: Seed, b: Seed): number => {
  const apart = BigInt(a) - BigInt(b);
  return apart < 0n ? -1 : apart > 0n ? 1 : 0;
};
