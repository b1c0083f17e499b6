import { InputError, UsageError } from '../errors.ts';

/**
 * PyTorch's CPU generator (ATen/core/MT19937RNGEngine.h, ATen/CPUGeneratorImpl.cpp): the Mersenne
 * Twister MT19937 of Matsumoto and Nishimura (1998), and the second value of the last Box–Muller
 * pair. Every function that draws from a generator changes it in place.
 */
export interface TorchGenerator {
  /** What `manual_seed` was given, as an unsigned 64-bit number; only the low 32 bits count. */
  readonly seed: bigint;
  /** The 624 state words, as bit patterns. */
  readonly words: Int32Array;
  /** The next word to be tempered; 624 when the state must be twisted first. */
  next: number;
  /** Whether the state is as seeded, which PyTorch writes as next = 0. */
  untouched: boolean;
  /** The sine half of the last pair of small-tensor normals, until the next such normal takes it. */
  cachedNormal: number | undefined;
}

const wordCount = 624;
const middle = 397;

/** Bytes of `torch.get_rng_state()`. */
export const generatorStateBytes = 5056;

/**
 * `torch.manual_seed(seed)` on a generator of its own.
 *
 * Throws UsageError for a seed PyTorch refuses: anything but an integer in [-2^63, 2^64).
 */
export function manualSeed(seed: number | bigint): TorchGenerator {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed)) {
    throw new UsageError(`the seed ${seed} is not an integer of at most 53 bits`, {
      fix: 'give a whole number',
    });
  }
  const wide = BigInt(seed);
  if (wide < -(1n << 63n) || wide >= 1n << 64n) {
    throw new UsageError(`the seed ${wide} does not fit into 64 bits`, {
      fix: 'give a whole number from -2^63 to 2^64 - 1',
    });
  }
  const words = new Int32Array(wordCount);
  words[0] = Number(BigInt.asIntN(32, wide));
  for (let i = 1; i < wordCount; i++) {
    const previous = words[i - 1];
    words[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
  }
  return {
    seed: BigInt.asUintN(64, wide),
    words,
    next: wordCount,
    untouched: true,
    cachedNormal: undefined,
  };
}

const mix = (upper: number, lower: number): number =>
  (((upper & 0x80000000) | (lower & 0x7fffffff)) >>> 1) ^ (-(lower & 1) & 0x9908b0df);

function twist(g: TorchGenerator): void {
  const { words } = g;
  const split = wordCount - middle;
  for (let i = 0; i < split; i++) words[i] = words[i + middle] ^ mix(words[i], words[i + 1]);
  for (let i = split; i < wordCount - 1; i++) {
    words[i] = words[i - split] ^ mix(words[i], words[i + 1]);
  }
  words[wordCount - 1] = words[middle - 1] ^ mix(words[wordCount - 1], words[0]);
  g.next = 0;
  g.untouched = false;
}

function temper(word: number): number {
  let y = word;
  y ^= y >>> 11;
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return y ^ (y >>> 18);
}

/** One draw: an unsigned 32-bit integer. */
export function nextU32(g: TorchGenerator): number {
  if (g.next === wordCount) twist(g);
  return temper(g.words[g.next++]) >>> 0;
}

/** Fills `out` with draws; the same as calling `nextU32` for each, but much faster. */
export function fillU32(g: TorchGenerator, out: Uint32Array): void {
  const { words } = g;
  for (let filled = 0; filled < out.length; ) {
    if (g.next === wordCount) twist(g);
    const from = g.next;
    const take = Math.min(wordCount - from, out.length - filled);
    for (let i = 0; i < take; i++) out[filled + i] = temper(words[from + i]);
    g.next += take;
    filled += take;
  }
}

/** Advances by `count` draws without making their values. */
export function skipU32(g: TorchGenerator, count: number): void {
  for (let left = count; left > 0; ) {
    if (g.next === wordCount) twist(g);
    const take = Math.min(wordCount - g.next, left);
    g.next += take;
    left -= take;
  }
}

/** Two draws as one unsigned 64-bit integer, the first in the high half. */
export function random64(g: TorchGenerator): bigint {
  const high = BigInt(nextU32(g));
  return (high << 32n) | BigInt(nextU32(g));
}

/** An independent generator that will draw the same values. */
export const forkGenerator = (g: TorchGenerator): TorchGenerator => ({
  ...g,
  words: g.words.slice(),
});

/** Byte offsets in the state, all values little-endian. */
const at = {
  seed: 0,
  left: 8,
  seeded: 12,
  next: 16,
  words: 24,
  cachedNormal: 5024,
  hasCachedNormal: 5040,
  hasCachedFloat: 5052,
} as const;

/** The 5056 bytes that `torch.get_rng_state()` gives, and `torch.set_rng_state()` takes. */
export function generatorState(g: TorchGenerator): Uint8Array {
  const bytes = new Uint8Array(generatorStateBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(at.seed, g.seed, true);
  view.setInt32(at.left, wordCount + 1 - g.next, true);
  view.setInt32(at.seeded, 1, true);
  view.setUint32(at.next, g.untouched ? 0 : g.next, true);
  g.words.forEach((word, i) => {
    view.setUint32(at.words + 8 * i, word, true);
  });
  if (g.cachedNormal !== undefined) {
    view.setFloat64(at.cachedNormal, g.cachedNormal, true);
    view.setInt32(at.hasCachedNormal, 1, true);
  }
  return bytes;
}

/**
 * The generator whose `torch.get_rng_state()` these bytes are.
 *
 * Throws InputError, naming `where`, when they are no such state.
 */
export function restoreGenerator(bytes: Uint8Array, where = 'generator state'): TorchGenerator {
  const damaged = (what: string): InputError =>
    new InputError(what, {
      where,
      fix: 'save it again with torch.get_rng_state() or a checkpoint',
    });
  if (bytes.byteLength !== generatorStateBytes) {
    throw damaged(`${bytes.byteLength} bytes instead of ${generatorStateBytes}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const left = view.getInt32(at.left, true);
  const next = view.getBigUint64(at.next, true);
  const untouched = left === 1 && next === 0n;
  if (!untouched && (next < 1n || next > BigInt(wordCount) || left !== 625 - Number(next))) {
    throw damaged(`positions left = ${left} and next = ${next} do not fit together`);
  }
  if (view.getInt32(at.seeded, true) !== 1) throw damaged('it was never seeded');
  const words = new Int32Array(wordCount);
  for (let i = 0; i < wordCount; i++) {
    if (view.getUint32(at.words + 8 * i + 4, true) !== 0) {
      throw damaged(`state word ${i} is wider than 32 bits`);
    }
    words[i] = view.getInt32(at.words + 8 * i, true);
  }
  const cached = view.getInt32(at.hasCachedNormal, true);
  if (cached !== 0 && cached !== 1) throw damaged(`the cached normal's flag is ${cached}`);
  if (bytes[at.hasCachedFloat] !== 0) {
    throw damaged('it caches a float32 normal, which no CPU function of PyTorch leaves behind');
  }
  const cachedNormal = cached === 1 ? view.getFloat64(at.cachedNormal, true) : undefined;
  if (cachedNormal !== undefined && !Number.isFinite(cachedNormal)) {
    throw damaged(`the cached normal is ${cachedNormal}`);
  }
  return {
    seed: view.getBigUint64(at.seed, true),
    words,
    next: untouched ? wordCount : Number(next),
    untouched,
    cachedNormal,
  };
}
