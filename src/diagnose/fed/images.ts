import type { FedBatch } from '../../align/stages/fed.ts';
import { toFloat32 } from '../../tensor/tensor.ts';
import type { Explained } from './finding.ts';
import { straight } from './pixels/arrangements.ts';
import { borderFit } from './pixels/border.ts';
import type { Constants } from './pixels/constants.ts';
import { decode, type Seen } from './pixels/decode.ts';
import { pixels, type RawSet } from './pixels/rawSet.ts';
import { isPlain, type Shown } from './pixels/shown.ts';
import { expectedValues, valuesFit } from './pixels/values.ts';

/** Images whose making is known, and what of it is not the reference's beside which image it is and its crop. */
export interface Looked {
  readonly seen: readonly Seen[];
  readonly pixels: readonly Explained[];
}

/** Each image of some batches: [3, 32, 32]. */
export const imagesOf = (batches: readonly FedBatch[]): Float32Array[] =>
  batches.flatMap(({ images }) => {
    const all = toFloat32(images);
    return Array.from({ length: images.shape[0] }, (_, i) =>
      all.subarray(i * pixels, (i + 1) * pixels),
    );
  });

/** Looks into images, of which these are expected; undefined where they cannot be told from the set's. */
export function look(
  images: readonly Float32Array[],
  guesses: readonly Shown[],
  set: RawSet,
  constants: Constants,
): Looked | undefined {
  if (images.length === 0 || images.some((image) => image.length !== pixels)) return undefined;
  const expected = expectedValues(constants);
  const decoded = decode(images, guesses, set, expected);
  if (decoded === undefined) return undefined;
  const { seen, values } = decoded;
  const asExpected = values.every((x, i) => x === expected[i]);
  const fit = asExpected ? undefined : valuesFit(values, constants);
  const found: Explained[] = [];
  if (!asExpected) {
    found.push(fit === undefined ? 'unexplained' : { ...fit, row: 'fed: values' });
  }
  const others = new Set(seen.map(({ arrangement }) => arrangement));
  const [arrangement] = others;
  if (others.size > 1) found.push('unexplained');
  else if (arrangement !== straight) {
    found.push({ key: arrangement.key, row: 'fed: arrangement', says: arrangement.says! });
  }
  if (seen.some((way) => !isPlain(way) || way.upsideDown)) {
    const numberOf = fit?.of ?? ((channel: number, byte: number) => expected[256 * channel + byte]);
    const border = borderFit(images, seen, set, numberOf);
    if (border === undefined) found.push('unexplained');
    else if (border.says !== undefined) {
      found.push({ key: `border ${border.key}`, row: 'fed: border', says: border.says });
    }
  }
  return { seen, pixels: found };
}
