import { type First, type Shown, sameView } from '../pixels/shown.ts';
import { belowHalf, drawsAnImage, type FlipRule, type Sequence, viewAt } from './sequence.ts';

/** Whether these images are shown as the draws from `place` on say. */
export function drawnAt(
  draws: Uint32Array,
  place: number,
  shown: readonly Shown[],
  first: First,
  rule: FlipRule = belowHalf,
): boolean {
  if (place < 0 || place + drawsAnImage * shown.length > draws.length) return false;
  return shown.every((image, i) =>
    sameView(image, viewAt(draws, place + drawsAnImage * i, first, rule, image.index)),
  );
}

/** Three images are 22 bits: fewer are found by accident. */
const fewestViews = 4;

/** Where in the sequence the views of these images are drawn, the nearest to `near`; −1 where nowhere. */
export function placeOfViews(
  { draws }: Sequence,
  shown: readonly Shown[],
  first: First,
  near: number,
): number {
  if (shown.length < fewestViews) return -1;
  for (let by = 0; by < draws.length; by++) {
    if (drawnAt(draws, near + by, shown, first)) return near + by;
    if (by > 0 && drawnAt(draws, near - by, shown, first)) return near - by;
  }
  return -1;
}

/** How an element of a dropout mask is drawn. */
export interface MaskRule {
  readonly key: string;
  readonly says?: string;
  readonly draws: number;
  /** Whether an element is kept, by its first draw and the one behind it. */
  readonly keeps: (a: number, b: number, keep: number) => boolean;
}

/** As `bernoulli_` draws: a float64 of two draws. */
export const inFloat64: MaskRule = {
  key: 'float64',
  draws: 2,
  keeps: (a, b, keep) => ((a & 0x1fffff) * 2 ** 32 + b) * 2 ** -53 < keep,
};

const float32 = (a: number): number => (a & 0xffffff) * 2 ** -24;

export const maskRules: readonly MaskRule[] = [
  inFloat64,
  {
    key: 'float32',
    says: 'another dropout mask: in float32, one draw an element, the reference in float64, two draws an element',
    draws: 1,
    keeps: (a, _, keep) => float32(a) < keep,
  },
  {
    key: 'float32 above',
    says: 'another dropout mask: in float32, one draw an element that is kept where it is not below p, the reference in float64, two draws an element',
    draws: 1,
    keeps: (a, _, keep) => float32(a) >= 1 - keep,
  },
  {
    key: 'float64 above',
    says: 'another dropout mask of the same draws: kept where one is not below p, the reference where it is below 1 − p',
    draws: 2,
    keeps: (a, b, keep) => ((a & 0x1fffff) * 2 ** 32 + b) * 2 ** -53 >= 1 - keep,
  },
];

/** Whether a mask is what the draws from `place` on make of it. */
export function maskAt(
  draws: Uint32Array,
  place: number,
  mask: Float64Array,
  keep: number,
  rule: MaskRule = inFloat64,
): boolean {
  if (place < 0 || place + rule.draws * mask.length + 1 > draws.length) return false;
  for (let i = 0; i < mask.length; i++) {
    const at = place + rule.draws * i;
    if (rule.keeps(draws[at], draws[at + 1], keep) !== (mask[i] === 1)) return false;
  }
  return true;
}

/** Where in the sequence a mask is drawn, the nearest to `near`; −1 where nowhere. */
export function placeOfMask(
  { draws }: Sequence,
  mask: Float64Array,
  keep: number,
  near: number,
): number {
  if (mask.length < 32) return -1;
  for (let by = 0; by < draws.length; by++) {
    if (maskAt(draws, near + by, mask, keep)) return near + by;
    if (by > 0 && maskAt(draws, near - by, mask, keep)) return near - by;
  }
  return -1;
}
