import type { Expectation, Rule, TensorRule, Tolerance } from '../align/judge/expectation.ts';
import type { Failed } from '../align/judge/judge.ts';
import { passed, type Verdict } from '../align/judge/verdict.ts';
import { samplePositions } from '../align/reference/samplePositions.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../tensor/tensor.ts';
import { diagnosed } from './diagnose.ts';
import { limitOf } from './limits.ts';
import type { Variant } from './otherwise/variant.ts';
import type { Given, Origins } from './stages/origins.ts';
import { withinStep } from './stepName.ts';
import type { Evidence, Held, Suspect } from './suspect.ts';
import { kindOf, layoutOf } from './tensorNames.ts';

/** What is known beside what was expected. */
export interface Around
  extends Pick<Evidence, 'batch' | 'optimizer' | 'ranks' | 'steps'>,
    Partial<Origins> {
  /** Weights and buffers before the first step. */
  readonly start?: TensorMap;
  /** What each layer is, by its name. */
  readonly layers?: ReadonlyMap<string, string>;
  /** True where names tell neither kinds nor axes: two recordings of anything. */
  readonly foreign?: boolean;
  /** What a tensor would be, were one thing done otherwise. */
  readonly variants?: (name: string, evidence: Evidence) => Iterable<Variant>;
}

type Record = Held['record'];

/** What is held against the tensor; undefined where that is NaN. */
const recordOf: {
  readonly [K in TensorRule['kind']]: (
    rule: Extract<TensorRule, { kind: K }>,
  ) => Record | undefined;
} = {
  float64: ({ record }) => record,
  distance: ({ to }) => ({ pytorch: to, truth: to }),
  equality: ({ to }) => ({ pytorch: to, truth: to }),
  ulp: ({ to }) => ({ pytorch: to, truth: to }),
  measures: ({ to }) => ({ pytorch: to, truth: to }),
  relative: ({ record, truth }) => record ?? (truth && { pytorch: truth, truth }),
};

function heldOf(
  { name, layer, what, rule }: Expectation,
  found: Tensor | undefined,
  { layers, origins, foreign = false }: Around,
): Held | undefined {
  if (rule.kind === 'refusal') return undefined;
  const record = (recordOf[rule.kind] as (rule: TensorRule) => Record | undefined)(rule);
  if (record === undefined) return undefined;
  // What is held as a sample has the shape of ours: the reference does not tell it.
  const shape = record.moments === undefined ? record.truth.shape : found?.shape;
  if (shape === undefined) return undefined;
  const { bare } = withinStep(name);
  const kind = foreign ? undefined : kindOf(bare);
  const axes = kind && layoutOf(kind, shape);
  const by = layer ?? (foreign ? undefined : layerOf(bare, layers));
  const is = what ?? origins?.get(name)?.what ?? (by === undefined ? undefined : layers?.get(by));
  return {
    name,
    shape,
    record,
    ...(kind && { kind }),
    ...(axes && { axes }),
    ...(by && { layer: by }),
    ...(is && { what: is }),
  };
}

/** The layer whose name a tensor's begins with. */
function layerOf(bare: string, layers: Around['layers']): string | undefined {
  for (let name = bare; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    if (layers?.has(name)) return name;
  }
  return undefined;
}

/** Of what a step began with, the elements that a reference holds of it after the step. */
function before(held: Held, start: TensorMap): Held | undefined {
  const { bare, when } = withinStep(held.name);
  const whole = start.get(bare);
  const { truth } = held.record;
  if (when === '' || whole === undefined) return undefined;
  const values = toFloat64(whole);
  const sampled = values.length !== truth.data.length;
  const at = sampled ? samplePositions(values.length, truth.data.length) : undefined;
  const kept = at === undefined ? values : Float64Array.from(at, (i) => values[i]);
  const value = tensor('float64', truth.shape, kept);
  const { moments: _, ...record } = held.record;
  return { ...held, name: `initial/${bare}`, record: { ...record, pytorch: value, truth: value } };
}

/** Lists of numbers and digests are decided or drawn; of two recordings of anything nobody knows it. */
const isDecided = (rule: Rule, kind: Held['kind'], { foreign = false }: Around): boolean =>
  rule.kind === 'equality' &&
  (rule.to.dtype === 'uint8' ||
    // Predictions are computed.
    (!foreign && rule.row !== undefined && rule.to.dtype !== 'float32' && kind !== 'prediction'));

const givenAs = (name: string, { kind, value }: Given): Held => {
  const truth = tensor('float64', value.shape, toFloat64(value));
  return { name, kind, shape: value.shape, record: { pytorch: value, truth } };
};

const scaleOf = (rule: TensorRule): Tolerance['scale'] =>
  rule.kind === 'float64'
    ? rule.tolerance.scale
    : rule.kind === 'relative'
      ? rule.scale
      : undefined;

/** Verdicts, each failure with what the mistake is: by both sides of what was judged. */
export function diagnosedBy(
  verdicts: readonly Verdict[],
  failed: readonly Failed[],
  around: Around,
): Verdict[] {
  const recorded = new Map(failed.flatMap(({ recording }) => [...recording]));
  const rules = new Map(
    failed.flatMap((f) => f.expectations).map((expected) => [expected.name, expected]),
  );
  const all = new Map<string, Held>();
  const decided = new Map<string, Held>();
  // The same weight lies there whole, and as a row of some of its elements.
  const starts = new Map<string, Held>();
  for (const [name, expected] of rules) {
    const held = heldOf(expected, recorded.get(name), around);
    if (held === undefined) continue;
    const isList = isDecided(expected.rule, held.kind, around);
    (isList ? decided : all).set(name, held);
    if (isList) continue;
    const first = around.start && before(held, around.start);
    if (first !== undefined) starts.set(`${first.name} ${formatShape(first.shape)}`, first);
  }
  const known = [...starts.values(), ...all.values()];
  const wrong = verdicts.filter((v) => !passed(v)).map(({ name }) => name);
  const { origins, given } = around;
  const givenUnder = (name: string): Held | undefined => {
    const found = given?.get(name);
    return found && givenAs(name, found);
  };
  const evidence: Evidence = {
    held: (name) => all.get(name) ?? givenUnder(name) ?? known.find((held) => held.name === name),
    alike: (shape) => known.filter((held) => sameShape(held.shape, shape)),
    all: () => known,
    ours: (name) => recorded.get(name) ?? given?.get(name)?.value,
    from: (name) => origins?.get(name)?.from ?? [],
    failedBefore: (name) => wrong.slice(0, wrong.indexOf(name)),
    ...(around.batch && { batch: around.batch }),
    ...(around.optimizer && { optimizer: around.optimizer }),
    ...(around.variants && { variants: (name) => around.variants!(name, evidence) }),
    ...(around.steps && { steps: around.steps }),
    ...(around.ranks && { ranks: around.ranks }),
  };
  const suspectOf = ({ name }: Verdict): Suspect | undefined => {
    const [ours, rule] = [recorded.get(name), rules.get(name)?.rule];
    const list = decided.get(name);
    const held = list ?? all.get(name);
    if (held === undefined || ours === undefined || rule === undefined || rule.kind === 'refusal')
      return undefined;
    const scale = scaleOf(rule);
    const more = { ...(scale && { scale: scale.value }), ...(list && { decided: true }) };
    return { ...held, ours, limit: limitOf(rule), ...more };
  };
  return diagnosed(verdicts, suspectOf, evidence);
}
