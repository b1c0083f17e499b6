const size = 624;
const middle = 397;

/**
 * Matsumoto and Nishimura's MT19937, as written in their paper, from the seed on: `count` draws of 32 bits. The generator
 * that a run draws from is in question here, so this is another.
 */
export function drawsOf(seed: number, count: number): Uint32Array {
  const words = new Uint32Array(size);
  words[0] = seed;
  for (let i = 1; i < size; i++) {
    const before = words[i - 1] ^ (words[i - 1] >>> 30);
    words[i] = Math.imul(1812433253, before) + i;
  }
  const draws = new Uint32Array(count);
  for (let at = 0; at < count; at++) {
    const i = at % size;
    const joined = (words[i] & 0x80000000) | (words[(i + 1) % size] & 0x7fffffff);
    const odd = joined & 1 ? 0x9908b0df : 0;
    words[i] = words[(i + middle) % size] ^ (joined >>> 1) ^ odd;
    let y = words[i];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    draws[at] = y ^ (y >>> 18);
  }
  return draws;
}
