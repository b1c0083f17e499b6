import type { StreamPosition } from '../../data/trainingStream.ts';
import { generatorStateBytes } from '../../torch/generator.ts';

/** Of one rank's place on its own generator: `get_rng_state`, then the base seed of the pass under way. */
export const rankPositionBytes = generatorStateBytes + 8;

/** In place of a base seed, which has 63 bits: none, between epochs. */
const noSeed = 2n ** 64n - 1n;

/** A rank's place as bytes; its epoch and step are those of rank 0. */
export function rankPositionTo({ generator, seeds }: StreamPosition): Uint8Array {
  const bytes = new Uint8Array(rankPositionBytes);
  bytes.set(generator);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(generatorStateBytes, seeds?.baseSeed ?? noSeed, true);
  return bytes;
}

export function rankPositionFrom(
  bytes: Uint8Array,
  { epoch, step }: Pick<StreamPosition, 'epoch' | 'step'>,
): StreamPosition {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const baseSeed = view.getBigUint64(generatorStateBytes, true);
  return {
    epoch,
    step,
    generator: bytes.slice(0, generatorStateBytes),
    ...(baseSeed !== noSeed && { seeds: { baseSeed } }),
  };
}
