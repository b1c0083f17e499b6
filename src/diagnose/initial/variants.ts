import { type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import type { Variant } from '../otherwise/variant.ts';
import { drawsOf } from './mersenne.ts';
import { foundAt, low24, type Place, redrawn, type Unit } from './redraw.ts';

/** Where the reference's weights come from. */
export interface Origin {
  readonly seed: number;
  readonly places: readonly Place[];
}

const seedsAround = [1, -1, 2];
const usualSeeds = [0, 42];

const otherUnits: readonly (readonly [string, Unit])[] = [
  ['all 32 bits of each draw are taken, the reference takes the low 24', (d) => d * 2 ** -32],
  [
    'the high 24 bits of each draw are taken, the reference takes the low 24',
    (d) => (d >>> 8) * 2 ** -24,
  ],
];

/** √3 is the bound of uniform numbers whose deviation is 1. */
const ofSameDeviation = ({ step }: Place): Place['step'] =>
  step.kind === 'normal'
    ? { kind: 'uniform', name: step.name, bound: Math.sqrt(3) * step.std }
    : { kind: 'normal', name: step.name, mean: 0, std: step.bound / Math.sqrt(3) };

const manner = { uniform: 'uniformly', normal: 'normally' } as const;

const sum = (places: readonly Place[]): number => places.reduce((n, { draws }) => n + draws, 0);

/** What a number of draws more or fewer is the number of. */
function meaningOf(by: number, { places }: Origin): string {
  const all = sum(places);
  const thrown = sum(places.filter(({ overwritten }) => overwritten));
  if (by === -thrown) return ': defaults that are overwritten later are not drawn';
  return by === all ? ': everything is drawn twice' : '';
}

const known = new WeakMap<Origin, Map<number, Uint32Array>>();

/** The draws of a seed, kept: many tensors are made of them. */
function drawsFrom(origin: Origin, seed: number, twice = false): Uint32Array {
  const count = sum(origin.places) * (twice ? 2 : 1);
  const memory = known.get(origin) ?? new Map<number, Uint32Array>();
  known.set(origin, memory);
  const found = memory.get(seed);
  if (found !== undefined && found.length >= count) return found;
  const draws = drawsOf(seed, count);
  // One seed beside the reference's own: they are large.
  for (const other of memory.keys()) if (other !== origin.seed) memory.delete(other);
  memory.set(seed, draws);
  return draws;
}

const placeOf = ({ places }: Origin, name: string): Place | undefined =>
  places.find((place) => place.name === name && !place.overwritten && !place.small);

/** A weight as the reference's constructor draws it, in float64; undefined where it is not drawn. */
export function rightly(origin: Origin, name: string): Float64Array | undefined {
  const place = placeOf(origin, name);
  if (place === undefined) return undefined;
  const at = redrawn(place, drawsFrom(origin, origin.seed), place.from);
  return Float64Array.from({ length: place.size }, (_, i) => at(i));
}

/** A weight, were it drawn otherwise, at some of its elements. */
export function* drawnOtherwise(
  origin: Origin,
  name: string,
  ours: Tensor,
  positions: Int32Array,
): Generator<Variant> {
  const place = placeOf(origin, name);
  if (place === undefined || ours.data.length !== place.size) return;
  const values = toFloat64(ours);
  const variant = (
    key: string,
    says: string,
    at: (position: number) => number,
    freedom?: 1,
  ): Variant => ({
    key,
    says,
    value: tensor('float64', [positions.length], Float64Array.from(positions, at)),
    ...(freedom && { freedom }),
  });
  const draws = drawsFrom(origin, origin.seed, true);
  const step = ofSameDeviation(place);
  yield variant(
    `drawn ${manner[step.kind]}`,
    `drawn ${manner[step.kind]}, the reference's ${manner[place.step.kind]}, of the same deviation`,
    redrawn({ ...place, step }, draws, place.from),
  );
  for (const [says, unit] of otherUnits) {
    yield variant(says, says, redrawn(place, draws, place.from, unit));
  }
  const found = foundAt(place, values, draws);
  if (found !== undefined) {
    const by = found - place.from;
    if (by === 0) return;
    const more = `${Math.abs(by)} ${by > 0 ? 'more' : 'fewer'} draws before it`;
    yield variant(
      `draws ${by}`,
      `drawn from another place of the generator: ${more}${meaningOf(by, origin)}`,
      redrawn(place, draws, found, low24),
    );
    return;
  }
  const seeds = [...seedsAround.map((by) => origin.seed + by), ...usualSeeds];
  for (const seed of new Set(seeds)) {
    if (seed < 0 || seed === origin.seed) continue;
    yield variant(
      `seed ${seed}`,
      `drawn from another seed: ${seed}, the reference's is ${origin.seed}`,
      redrawn(place, drawsFrom(origin, seed), place.from),
    );
  }
}
