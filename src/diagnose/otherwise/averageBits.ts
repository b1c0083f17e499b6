import { weightsFromSeed } from '../../align/reference/seedWeights.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import type { Module } from '../../nn/module.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Variant } from './variant.ts';

const { fround } = Math;

/** A new average of the old one, a weight and its share, in float32. */
type Join = (mean: number, weight: number, take: number) => number;

/** As PyTorch rounds it: both shares, both products, and their sum. */
const right: Join = (mean, weight, take) =>
  fround(fround(mean * fround(1 - take)) + fround(weight * fround(take)));

interface OtherJoin {
  readonly key: string;
  readonly how: string;
  readonly join: Join;
}

const others: readonly OtherJoin[] = [
  {
    key: 'share in float32',
    how: 'the share of the old average is 1 − float32(α), the reference rounds 1 − α',
    join: (mean, weight, take) => {
      const keep = fround(1 - fround(take));
      return fround(fround(mean * keep) + fround(weight * fround(take)));
    },
  },
  {
    key: 'fused',
    how: 'one product and the sum are rounded once: a fused multiply-add',
    join: (mean, weight, take) => fround(mean * fround(1 - take) + fround(weight * fround(take))),
  },
  {
    key: 'fused the other way',
    how: 'one product and the sum are rounded once: a fused multiply-add',
    join: (mean, weight, take) => fround(fround(mean * fround(1 - take)) + weight * fround(take)),
  },
  {
    key: 'in float64',
    how: 'computed in float64 and rounded once',
    join: (mean, weight, take) => fround(mean * (1 - take) + weight * take),
  },
  {
    key: 'by the difference',
    how: 'a part of the difference is added, the reference adds two products',
    join: (mean, weight, take) => fround(mean + fround(fround(weight - mean) * fround(take))),
  },
  {
    key: 'divided',
    how: 'a sum is divided at the end, or the difference by a whole number',
    join: (mean, weight, take) => fround(mean + fround(fround(weight - mean) / fround(1 / take))),
  },
];

/** Which weights are averaged, from which seeds, and the digest of PyTorch's average. */
export interface AveragedBits {
  readonly model: Module;
  readonly names: readonly string[];
  readonly seeds: readonly number[];
  readonly digest: string;
}

/**
 * The digest of an average that was rounded otherwise. The models are drawn by our own initialisers: nothing is told
 * where PyTorch's average of them is not PyTorch's to the bit.
 */
export function* averageBitsVariants(of: AveragedBits): Generator<Variant> {
  const { model, names, seeds, digest } = of;
  const models = seeds.map((seed) => weightsFromSeed(model, seed));
  const digestBy = (join: Join): string => {
    const digests = names.map((name) => {
      const mean = new Float32Array(models[0].get(name)!.data.length);
      models.forEach((weights, held) => {
        const { data } = weights.get(name)!;
        const take = 1 / (held + 1);
        for (let i = 0; i < mean.length; i++) mean[i] = join(mean[i], data[i], take);
      });
      return sha256Hex(new Uint8Array(mean.buffer));
    });
    return sha256Hex(new TextEncoder().encode(digests.join('')));
  };
  if (digestBy(right) !== digest) return;
  for (const { key, how, join } of others) {
    yield {
      key: `average ${key}`,
      says: `the same but for the last places: ${how}`,
      value: tensor('uint8', [1, 32], Uint8Array.from(Buffer.from(digestBy(join), 'hex'))),
    };
  }
}
