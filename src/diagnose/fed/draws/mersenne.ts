/*
 * MT19937 of Matsumoto and Nishimura (1998), written apart from the generator that a run draws from: that one may
 * hold the mistake that is looked for.
 */
const size = 624;
const middle = 397;

const tempered = (word: number): number => {
  let y = word ^ (word >>> 11);
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return (y ^ (y >>> 18)) >>> 0;
};

const mixed = (high: number, low: number): number =>
  (((high & 0x80000000) | (low & 0x7fffffff)) >>> 1) ^ ((low & 1) === 0 ? 0 : 0x9908b0df);

/** The first `count` words of a state that was seeded with 32 bits. */
function seeded(words: Int32Array, seed: number, count: number): void {
  words[0] = seed | 0;
  for (let i = 1; i < count; i++) {
    words[i] = Math.imul(1812433253, words[i - 1] ^ (words[i - 1] >>> 30)) + i;
  }
}

/** The first `count` draws behind a seed, of which only the low 32 bits matter. */
export function drawsOf(seed: number, count: number): Uint32Array {
  const words = new Int32Array(size);
  seeded(words, seed, size);
  const out = new Uint32Array(count);
  for (let at = 0; at < count; at += size) {
    for (let i = 0; i < size; i++) {
      words[i] = words[(i + middle) % size] ^ mixed(words[i], words[(i + 1) % size]);
    }
    const take = Math.min(size, count - at);
    for (let i = 0; i < take; i++) out[at + i] = tempered(words[i]);
  }
  return out;
}

/** At the most so many draws does `quickDraws` give. */
export const quickMost = size - middle;

const scratch = new Int32Array(size);

/** The first few draws behind a seed into `out`, with no more of the state than they need. */
export function quickDraws(seed: number, out: Uint32Array): void {
  seeded(scratch, seed, middle + out.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = tempered(scratch[i + middle] ^ mixed(scratch[i], scratch[i + 1]));
  }
}
