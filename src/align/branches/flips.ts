import type { Window } from '../../ir/op.ts';
import { type Decision, decidedOn, nudgeOf } from '../../program/decisions.ts';
import type { Shape } from '../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { tolerances } from '../judge/tolerances.ts';
import type { Flip } from '../judge/verdict.ts';
import { relativeError, rms } from '../measure/relativeError.ts';

/** Decisions that two runs took differently. */
export interface DecisionsApart {
  /** Within rounding of their kink: float32 may take either. */
  readonly flips: readonly Flip[];
  /** Farther from it than rounding reaches: one of the two sides is wrong. */
  readonly beyond: readonly Flip[];
  /** What makes the truth decide as we did: an input of `nudged` for every decision. */
  readonly nudges: TensorMap;
}

/** A differing decision: the output element, and the true value's distance from the kink. */
interface Change {
  readonly element: number;
  readonly distance: number;
}

/** What differs, and what is to be added to the layer's input for the truth to decide as we did. */
interface Imposed {
  readonly changes: readonly Change[];
  readonly nudge: Float64Array;
}

/** A nudge goes past the kink by this share of the layer's RMS. */
const past = 2 ** -30;

/**
 * A pooling's winner goes twice as far: two ReLUs that both flipped in its window stand `past` above zero,
 * equal but for rounding.
 */
const headStart = 2;

function signsApart(ours: Float64Array, truth: Float64Array, step: number): Imposed {
  const changes: Change[] = [];
  const nudge = new Float64Array(truth.length);
  for (let i = 0; i < truth.length; i++) {
    if (ours[i] > 0 === truth[i] > 0) continue;
    nudge[i] = -truth[i] + (ours[i] > 0 ? step : -step);
    changes.push({ element: i, distance: Math.abs(truth[i]) });
  }
  return { changes, nudge };
}

/** Offset of each window's greatest element, the first of equals, in the order of the pooled result. */
function* winners(
  x: Float64Array,
  [n, c, height, width]: Shape,
  { kernel, stride, padding }: Window,
): Generator<number> {
  const count = (size: number, a: 0 | 1): number =>
    Math.floor((size + 2 * padding[a] - kernel[a]) / stride[a]) + 1;
  const places = (size: number, a: 0 | 1, p: number): number[] =>
    Array.from({ length: kernel[a] }, (_, k) => p * stride[a] + k - padding[a]).filter(
      (place) => place >= 0 && place < size,
    );
  const rows = Array.from({ length: count(height, 0) }, (_, p) => places(height, 0, p));
  const columns = Array.from({ length: count(width, 1) }, (_, q) => places(width, 1, q));
  for (let plane = 0; plane < n * c; plane++) {
    for (const r of rows) {
      for (const q of columns) {
        let best = -1;
        for (const row of r) {
          for (const column of q) {
            const at = (plane * height + row) * width + column;
            if (best < 0 || x[at] > x[best]) best = at;
          }
        }
        yield best;
      }
    }
  }
}

function winnersApart(
  ours: Float64Array,
  truth: Float64Array,
  step: number,
  [shape, window]: readonly [Shape, Window],
): Imposed {
  const theirs = winners(truth, shape, window);
  const changes: Change[] = [];
  const nudge = new Float64Array(truth.length);
  let element = 0;
  for (const at of winners(ours, shape, window)) {
    const best = theirs.next().value as number;
    const distance = truth[best] - truth[at];
    nudge[at] = distance + headStart * step;
    if (at !== best) changes.push({ element, distance });
    element++;
  }
  return { changes, nudge };
}

/**
 * Compares what two runs of `withDecisions` decided at every ReLU and pooling, element by element. A
 * decision may be taken the other way when the true value is within rounding of the kink: five times the
 * layer's float32 error, measured here and never taken for more than `bar`, or 1e-6 of its RMS where that
 * is more (the margins by which the exporter picks a kink-free batch).
 */
export function decisionsApart(
  decisions: readonly Decision[],
  ours: TensorMap,
  truth: TensorMap,
  bar: number,
): DecisionsApart {
  const flips: Flip[] = [];
  const beyond: Flip[] = [];
  const nudges = new Map<string, Tensor>();
  for (const { layer, node } of decisions) {
    const [a, b] = [ours.get(decidedOn(layer))!, truth.get(decidedOn(layer))!];
    const scale = rms(b);
    const noise = Math.min(relativeError(a, b), bar);
    const near = Math.max(tolerances.kinkMargin, tolerances.kinkNoiseFactor * noise);
    const [x, t, step] = [toFloat64(a), toFloat64(b), scale * past];
    const { changes, nudge } =
      node.op === 'relu'
        ? signsApart(x, t, step)
        : winnersApart(x, t, step, [node.inputs[0].shape, node.params]);
    for (const { element, distance } of changes) {
      const margin = distance / scale;
      (margin <= near ? flips : beyond).push({ layer, element, margin });
    }
    nudges.set(nudgeOf(layer), tensor('float64', b.shape, nudge));
  }
  return { flips, beyond, nudges };
}

/** `features.1[1234], 3.1e-8 of its RMS from the kink`, the first few. */
export function describeFlips(flips: readonly Flip[], shown = 3): string {
  const first = flips
    .slice(0, shown)
    .map((f) => `${f.layer}[${f.element}] (${f.margin.toExponential(1)} of its RMS from its kink)`);
  const more = flips.length - first.length;
  return first.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
