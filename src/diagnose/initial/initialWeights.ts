import type { Cause, Verdict } from '../../align/judge/verdict.ts';
import { samplePositions } from '../../align/reference/samplePositions.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { bytesOf, type Tensor, type TensorMap } from '../../tensor/tensor.ts';
import type { InitPlan } from '../../torch/initialise.ts';
import { distanceOf } from '../around.ts';
import { diagnosed } from '../diagnose.ts';
import { numbersOf } from '../numbers.ts';
import type { Evidence, Held, Suspect } from '../suspect.ts';
import { kindOf, layoutOf } from '../tensorNames.ts';
import { placesOf } from './redraw.ts';
import { drawnOtherwise, type Origin, rightly } from './variants.ts';

/** What a reference tells of the weights that a run begins with. */
export interface Given {
  readonly seed: number;
  readonly sha256: Readonly<Record<string, string>>;
  /** A file's arrays, of which `initial/NAME` hold some of each. */
  readonly arrays: TensorMap;
  /** How the reference's model draws them. */
  readonly plan: InitPlan;
}

/** A weight is drawn in float32, and here again in float64. */
const rounding = 2 ** -20;

function heldOf({ arrays, plan }: Given, name: string): Held | undefined {
  const whole = arrays.get(`initial/${name}`);
  const found = whole ?? arrays.get(`initial/${name}#sample`);
  const shape = plan.shapes.get(name);
  if (found === undefined || shape === undefined) return undefined;
  const kind = kindOf(name);
  const axes = layoutOf(kind, shape);
  const record = { pytorch: found, truth: found };
  return { name: `initial/${name}`, shape, record, kind, ...(axes && { axes }) };
}

/** Flat positions of what a reference holds. */
const positionsOf = ({ record }: Held, { data }: Tensor): Int32Array =>
  record.truth.data.length === data.length
    ? Int32Array.from(data.keys())
    : samplePositions(data.length, record.truth.data.length);

const bare = (name: string): string => name.replace(/^initial\//, '');

const lastPlaces = 'one thing otherwise';

/** What the mistake in weights is whose digests are others; undefined where nothing explains the first of them. */
export function causeOfInitial(ours: TensorMap, given: Given): Cause | undefined {
  const origin: Origin = { seed: given.seed, places: placesOf(given.plan) };
  const wrong = Object.entries(given.sha256).flatMap(([name, digest]): [string, Tensor][] => {
    const found = ours.get(name);
    return found === undefined || sha256Hex(bytesOf(found)) === digest ? [] : [[name, found]];
  });
  if (wrong.length === 0) return undefined;
  const suspects = new Map(
    wrong.flatMap(([name, found]): [string, Suspect][] => {
      const held = heldOf(given, name);
      return held === undefined ? [] : [[held.name, { ...held, ours: found, limit: rounding }]];
    }),
  );
  const rounded = [...suspects.values()].flatMap((suspect) => roundedBy(suspect, origin) ?? []);
  if (rounded.length === wrong.length) {
    return {
      hypothesis: lastPlaces,
      says: 'the same but for the last places: the same draws, rounded otherwise',
      left: Math.max(...rounded),
      explains: rounded.length,
      of: wrong.length,
    };
  }
  const evidence: Evidence = {
    held: (name) => heldOf(given, bare(name)),
    alike: () => [],
    ours: (name) => ours.get(bare(name)),
    from: () => [],
    variants: (name) => {
      const found = ours.get(bare(name));
      const held = suspects.get(name);
      if (found === undefined || held === undefined) return [];
      return drawnOtherwise(origin, bare(name), found, positionsOf(held, found));
    },
  };
  // The first few tell the mistake: each is drawn again in some ways.
  const few = wrong.slice(0, mostSuspects).map(
    ([name]): Verdict => ({
      name: `initial/${name}`,
      checks: [{ method: 'equal', value: 1, threshold: 0, passed: false }],
    }),
  );
  const [first] = diagnosed(few, ({ name }) => suspects.get(name), evidence);
  return first.cause && { ...first.cause, says: `${bare(first.name)} ${first.cause.says}` };
}

const mostSuspects = 8;

/** How far a weight is off in its last places; undefined where it is more, or where nobody knows all of it. */
function roundedBy(suspect: Suspect, origin: Origin): number | undefined {
  const numbers = numbersOf(suspect);
  if (numbers === undefined) return undefined;
  const distance = distanceOf(numbers);
  if (distance > rounding) return undefined;
  if (numbers.truth.length === numbers.whole.length) return distance;
  const right = rightly(origin, bare(suspect.name));
  const off = (i: number): number => Math.abs(numbers.whole[i] - right![i]);
  const far = right === undefined || right.some((_, i) => off(i) > 8 * rounding * numbers.unit);
  return far ? undefined : distance;
}
