import type { Tensor } from '../../tensor/tensor.ts';
import { absoluteDifferences } from './absoluteDifferences.ts';
import { type CloseTolerance, closeShares } from './allclose.ts';
import { cosineDistance, directionErrors } from './cosine.ts';
import { relativeL2 } from './distance.ts';
import { largestOf } from './norms.ts';
import { rms } from './relativeError.ts';
import { type ReprodMethod, reprodMeasures } from './reprodMeasures.ts';
import { ulpDistances } from './ulp.ts';

/** One way to put the difference of two finite arrays, of one type and shape and not empty, in a number. */
interface Measure {
  /** Largest value that passes where nothing else is said. */
  readonly usual: number;
  readonly value: (a: Tensor, b: Tensor, tolerance: CloseTolerance) => number;
  /** How far each element is off, in a unit of the measure's own. */
  readonly errors: (a: Tensor, b: Tensor, tolerance: CloseTolerance) => Float64Array;
  /** What an element may be off in that unit: where the value is beyond `threshold`, one of them is. */
  readonly allowed: (threshold: number, b: Tensor) => number;
}

/** reprod_log's own threshold. */
const reprodThreshold = 1e-6;

const ofReprodLog = (method: ReprodMethod): Measure => ({
  usual: reprodThreshold,
  value: (a, b) => reprodMeasures(a, b)[method],
  errors: absoluteDifferences,
  allowed: (threshold) => threshold,
});

/** How two recordings can be held against each other; docs/compare.md explains each. */
export type MeasureName = ReprodMethod | 'relative' | 'cosine' | 'ulp' | 'allclose';

export const measures: { readonly [M in MeasureName]: Measure } = {
  mean: ofReprodLog('mean'),
  max: ofReprodLog('max'),
  min: ofReprodLog('min'),
  relative: {
    usual: 1e-6,
    value: relativeL2,
    errors: absoluteDifferences,
    allowed: (threshold, b) => threshold * rms(b),
  },
  cosine: {
    usual: 1e-6,
    value: cosineDistance,
    errors: directionErrors,
    // 1 − cos is half the square of the distance of the directions.
    allowed: (threshold, { data }) => Math.sqrt((2 * threshold) / data.length),
  },
  ulp: {
    usual: 4,
    value: (a, b) => largestOf(ulpDistances(a, b)),
    errors: ulpDistances,
    allowed: (threshold) => threshold,
  },
  allclose: {
    usual: 1,
    value: (a, b, tolerance) => largestOf(closeShares(a, b, tolerance)),
    errors: closeShares,
    allowed: (threshold) => threshold,
  },
};

export const measureNames = Object.keys(measures) as readonly MeasureName[];
