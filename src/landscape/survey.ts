import type { KeptPoints } from './keptPoints.ts';
import type { Measure, Measured } from './measure.ts';
import type { Place, PlacedWeights } from './places.ts';

/** A point that was measured. */
export interface SurveyedPoint extends Place {
  readonly measured: Measured;
}

export interface SurveyProgress {
  /** Points measured so far, those of earlier runs included. */
  readonly done: number;
  readonly total: number;
  readonly latest: Measured;
}

/**
 * Measures the points that are not kept yet, in their order, and keeps each. Throws the signal's reason when that
 * aborts; what was kept by then is not measured again.
 */
export async function survey(
  places: readonly PlacedWeights[],
  kept: KeptPoints,
  measure: Measure,
  { signal, tell }: { readonly signal?: AbortSignal; readonly tell?: (p: SurveyProgress) => void },
): Promise<SurveyedPoint[]> {
  const found = [...kept.points];
  for (const place of places.slice(found.length)) {
    const latest = await measure(place.weights(), signal);
    kept.add(latest);
    found.push(latest);
    tell?.({ done: found.length, total: places.length, latest });
  }
  return places.map(({ weights: _, ...place }, i) => ({ ...place, measured: found[i] }));
}
