import { samplePositions } from '../../align/reference/samplePositions.ts';
import { type Shape, sizeOf } from '../../tensor/shape.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
import { earlierOf, heldIn, picked } from '../around.ts';
import type { Numbers } from '../numbers.ts';
import { withinStep } from '../stepName.ts';
import type { Evidence, Held, Suspect } from '../suspect.ts';
import type { Settings, State } from './rule.ts';
import { ruleOf } from './rules.ts';

/** One side of some steps on a parameter, at the places at which a suspect's truth is known. */
export interface Way {
  readonly start: State;
  readonly gradients: readonly Float64Array[];
}

/** What went into the steps that made a suspect. */
export interface Steps {
  readonly settings: Settings;
  /** Number of the first of them, counted from 1. */
  readonly first: number;
  readonly ours: Way;
  readonly truth: Way;
  /** Which of the results the suspect is, and the names of all. */
  readonly result: string;
  readonly results: Readonly<Record<string, string>>;
}

/** Of values that lie as the suspect does, whole or a sample, those at its places. */
export function atPlaces(
  { at, shape, truth }: Pick<Numbers, 'at' | 'shape' | 'truth'>,
  values: Float64Array,
): Float64Array | undefined {
  if (values.length === truth.length) return values;
  const size = sizeOf(shape);
  if (values.length === size) return picked(values, at);
  // A row of some of a tensor's elements, as stages hold weights that are large.
  return truth.length === size && values.length > size
    ? picked(values, samplePositions(values.length, size))
    : undefined;
}

/** The steps that made a weight, or what an optimizer keeps beside it; undefined where that is not known. */
export const stepsOf = (
  numbers: Numbers,
  suspect: Suspect,
  evidence: Evidence,
): Steps | undefined =>
  givenSteps(numbers, suspect, evidence) ?? oneStep(numbers, suspect, evidence);

function givenSteps(numbers: Numbers, { name }: Suspect, { steps }: Evidence): Steps | undefined {
  const given = steps?.(name);
  const rule = given && ruleOf(given.settings.kind);
  if (given === undefined || rule === undefined) return undefined;
  const { settings, results } = given;
  const [result] = Object.keys(results).filter((key) => results[key] === name);
  const weight = atPlaces(numbers, given.weight);
  const gradients = given.gradients.flatMap((g) => atPlaces(numbers, g) ?? []);
  if (weight === undefined || gradients.length !== given.gradients.length) return undefined;
  const way = { start: { weight }, gradients };
  return { settings, first: 1, ours: way, truth: way, result, results };
}

/** Of a weight or slot: the parameter's name in the same pass, and which of its tensors it is. */
function parameterOf({ name, kind }: Suspect): { base: string; result: string } | undefined {
  if (kind === 'weight') return { base: name, result: 'weight' };
  const dot = name.lastIndexOf('.');
  return kind === 'optimizer state' && dot > 0
    ? { base: name.slice(0, dot), result: name.slice(dot + 1) }
    : undefined;
}

interface Sides {
  readonly ours: Float64Array;
  readonly truth: Float64Array;
}

/** What the reference holds, and ours where it was recorded: what went wrong before is not this step's mistake. */
function sidesOf(numbers: Numbers, held: Held | undefined, evidence: Evidence): Sides | undefined {
  const truth = held && atPlaces(numbers, toFloat64(held.record.truth));
  if (held === undefined || truth === undefined) return undefined;
  return { truth, ours: oursAt(numbers, held.name, evidence) ?? truth };
}

function oursAt(numbers: Numbers, name: string, { ours }: Evidence): Float64Array | undefined {
  const found = ours(name);
  return found && atPlaces(numbers, toFloat64(found));
}

/** The last step, by the names of a port's passes or of a stage's iterations. */
function oneStep(numbers: Numbers, suspect: Suspect, evidence: Evidence): Steps | undefined {
  const parameter = parameterOf(suspect);
  if (parameter === undefined) return undefined;
  const { base, result } = parameter;
  const settings = evidence.optimizerOf?.(base) ?? evidence.optimizer;
  const rule = ruleOf(settings?.kind);
  if (settings === undefined || rule === undefined) return undefined;
  const { shape } = suspect;
  const { when, bare } = withinStep(base);
  // Stages tell what an iteration computes from what it leaves, and hold that against the rule on our own gradients.
  const own = when.startsWith('after ');
  const within = when.replace(/^after /, '');
  const gradientName = `${within === '' ? '' : `${within}/`}${bare}.grad`;
  const gradient = own
    ? twice(oursAt(numbers, gradientName, evidence))
    : sidesOf(numbers, evidence.held(gradientName), evidence);
  const weight = sidesOf(numbers, earlierOf({ name: base, shape }, evidence), evidence);
  if (gradient === undefined || weight === undefined) return undefined;
  const slots = rule.slots(rule.right(settings));
  const sides = slots.map((slot): [string, Sides] => {
    const before = earlierOf({ name: `${base}.${slot}`, shape }, evidence);
    const zero = new Float64Array(numbers.truth.length);
    return [slot, sidesOf(numbers, before, evidence) ?? { ours: zero, truth: zero }];
  });
  const way = (side: keyof Sides): Way => ({
    start: {
      weight: weight[side],
      ...Object.fromEntries(sides.map(([slot, values]) => [slot, values[side]])),
    },
    gradients: [gradient[side]],
  });
  const names = slots.map((slot): [string, string] => [slot, `${base}.${slot}`]);
  return {
    settings,
    first: countOf(base, shape, evidence),
    ours: way('ours'),
    truth: way('truth'),
    result,
    results: { weight: base, ...Object.fromEntries(names) },
  };
}

const twice = (values: Float64Array | undefined): Sides | undefined =>
  values && { ours: values, truth: values };

/** The how-manieth step it is: torch.optim's own count where it is recorded, or as many as are held before it. */
function countOf(base: string, shape: Shape, evidence: Evidence): number {
  const counted = heldIn(evidence, `${base}.step`, []);
  if (counted !== undefined) return toFloat64(counted.record.truth)[0];
  let count = 1;
  let before = earlierOf({ name: base, shape }, evidence);
  for (; before !== undefined && !before.name.startsWith('initial/'); count++)
    before = earlierOf(before, evidence);
  return count;
}
