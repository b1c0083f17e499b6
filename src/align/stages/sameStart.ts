import { sha256Hex } from '../../io/sha256.ts';
import { bytesOf, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import type { Expectation } from '../judge/expectation.ts';
import { startingWeights } from '../seedWeights.ts';
import type { Part, PartRun } from '../stage.ts';

type Digests = Readonly<Record<string, string>>;

/** A digest a row: what is compared where every bit counts. */
export function digestRows(digests: Iterable<string>): Tensor<'uint8'> {
  const rows = [...digests];
  return tensor('uint8', [rows.length, 32], Uint8Array.from(Buffer.from(rows.join(''), 'hex')));
}

const initialWeights = 'initial weights';

/** The digests of weights, those a reference names first and in its order. */
export function weightDigests(weights: TensorMap, expected: Digests): PartRun {
  const missing = Object.keys(expected).find((name) => !weights.has(name));
  if (missing !== undefined) {
    return { recording: new Map(), leftOut: new Map([[initialWeights, `${missing} is missing`]]) };
  }
  const extra = [...weights.keys()].filter((name) => !Object.hasOwn(expected, name));
  const names = [...Object.keys(expected), ...extra];
  const digests = names.map((name) => sha256Hex(bytesOf(weights.get(name)!)));
  return { recording: new Map([[initialWeights, digestRows(digests)]]) };
}

/** Every tensor to the bit, by its SHA-256. */
export const expectedWeights = (expected: Digests): Expectation => ({
  name: initialWeights,
  rule: {
    kind: 'equality',
    to: digestRows(Object.values(expected)),
    row: (i) => Object.keys(expected)[i] ?? 'a tensor that is not in the reference',
    what: `${Object.keys(expected).length} tensors, by SHA-256`,
  },
});

/** That a stage starts from PyTorch's weights. */
export const sameStart: Part = {
  run: async (context) =>
    weightDigests(startingWeights(context), context.reference.manifest.weights.sha256),
  expect: ({ reference }) => [expectedWeights(reference.manifest.weights.sha256)],
};
