import { sha256Hex } from '../../io/sha256/sha256.ts';
import { bytesOf, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { isCounter } from '../../train/stateDict.ts';
import { firstFew } from '../../words.ts';
import type { Expectation } from '../judge/expectation.ts';
import { startingWeights } from '../reference/seedWeights.ts';
import type { Part, PartRun } from './stage.ts';

type Digests = Readonly<Record<string, string>>;

/** A digest in hexadecimal a row, all of one length: what is compared where every bit counts. */
export function digestRows(digests: Iterable<string>): Tensor<'uint8'> {
  const rows = [...digests];
  const width = (rows[0]?.length ?? 64) / 2;
  return tensor('uint8', [rows.length, width], Uint8Array.from(Buffer.from(rows.join(''), 'hex')));
}

export const initialWeights = 'initial weights';

/** PyTorch's counters beside batch norm are no weights: a reference may hold them or not. */
const compared = (expected: Digests): (readonly [string, string])[] =>
  Object.entries(expected).filter(([name]) => !isCounter(name));

const noDigest = '0'.repeat(64);

/** The digests of weights, those a reference names first and in its order; who is on one side only is told. */
export function weightDigests(weights: TensorMap, expected: Digests): PartRun {
  const wanted = compared(expected).map(([name]) => name);
  const missing = wanted.filter((name) => !weights.has(name));
  const extra = [...weights.keys()].filter((n) => !isCounter(n) && !Object.hasOwn(expected, n));
  const digests = [...wanted, ...extra].map((name) => {
    const held = weights.get(name);
    return held === undefined ? noDigest : sha256Hex(bytesOf(held));
  });
  return {
    recording: new Map([[initialWeights, digestRows(digests)]]),
    weights,
    notes: [
      ...(missing.length === 0 ? [] : [`missing on our side: ${firstFew(missing)}`]),
      ...(extra.length === 0 ? [] : [`not in the reference: ${firstFew(extra)}`]),
    ],
  };
}

/** Every tensor to the bit, by its SHA-256. */
export function expectedWeights(expected: Digests): Expectation {
  const held = compared(expected);
  return {
    name: initialWeights,
    rule: {
      kind: 'equality',
      to: digestRows(held.map(([, digest]) => digest)),
      row: (i) => held[i]?.[0] ?? 'a tensor that is not in the reference',
      what: `${held.length} tensors, by SHA-256`,
    },
  };
}

/** That a stage starts from PyTorch's weights. */
export const sameStart: Part = {
  run: async (context) =>
    weightDigests(startingWeights(context), context.reference.manifest.weights.sha256),
  expect: ({ reference }) => [expectedWeights(reference.manifest.weights.sha256)],
};
