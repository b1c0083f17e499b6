/** Several backends through the same stages, side by side: data for every kind of report. */
import { incomparable } from '../judge/incomparable.ts';
import { distances } from '../measure/distance.ts';
import type { StageName } from '../reference/manifest.ts';
import type { StageResult } from '../stages/stage.ts';
import type { Witness as RunWitness } from './runs.ts';

type Witness = Pick<RunWitness, 'name' | 'description' | 'results'>;

/** A backend that did not run, and why. */
export interface AbsentWitness {
  readonly name: string;
  readonly why: string;
}

/** The tensor that is furthest off, by relative L2. */
export interface Furthest {
  readonly tensor: string;
  readonly relativeL2: number;
}

/** One backend in one stage. */
export interface MatrixCell {
  readonly stage: StageName;
  readonly passed: boolean;
  readonly seconds: number;
  /** From PyTorch's float64, and PyTorch's float32 on the same tensor. Absent where a stage has no truth. */
  readonly toTruth?: Furthest & { readonly pytorch?: number };
  /** From PyTorch's float32. Absent where nothing is compared with it. */
  readonly toPyTorch?: Furthest;
}

export interface MatrixRow {
  readonly name: string;
  readonly description: string;
  readonly cells: readonly MatrixCell[];
}

/** Two backends in one stage, by what they both recorded. */
export interface MatrixPair {
  readonly stage: StageName;
  readonly a: string;
  readonly b: string;
  /** ‖a − b‖ / ‖b‖; NaN where two tensors of one name cannot be compared. */
  readonly furthest: Furthest;
}

export interface Matrix {
  readonly model: string;
  readonly rows: readonly MatrixRow[];
  readonly pairs: readonly MatrixPair[];
  readonly absent: readonly AbsentWitness[];
}

/** The larger of two, NaN above all numbers. */
function further<T extends Furthest>(a: T | undefined, b: T): T {
  return a === undefined || !(b.relativeL2 <= a.relativeL2) ? b : a;
}

function furthestOf<T extends Furthest>(all: readonly T[]): T | undefined {
  return all.reduce<T | undefined>(further, undefined);
}

function cellOf({ stage, passed, seconds, verdicts }: StageResult): MatrixCell {
  const toTruth = furthestOf(
    verdicts.flatMap(({ name, checks }) =>
      checks.flatMap(({ method, value, pytorch }) =>
        method === 'relative l2'
          ? [{ tensor: name, relativeL2: value, ...(pytorch !== undefined && { pytorch }) }]
          : [],
      ),
    ),
  );
  const toPyTorch = furthestOf(
    verdicts.flatMap(({ name, distances: measured, checks }) =>
      // what is zero but for rounding has no relative distance
      measured === undefined || checks.some(({ method }) => method === 'scaled')
        ? []
        : [{ tensor: name, relativeL2: measured.relativeL2 }],
    ),
  );
  return {
    stage,
    passed,
    seconds,
    ...(toTruth && { toTruth }),
    ...(toPyTorch && { toPyTorch }),
  };
}

/** Tensors that a stage measures by another scale, because they are zero but for rounding. */
const scaled = ({ verdicts }: StageResult): ReadonlySet<string> =>
  new Set(
    verdicts.flatMap(({ name, checks }) =>
      checks.some(({ method }) => method === 'scaled') ? [name] : [],
    ),
  );

function furthestBetween(a: StageResult, b: StageResult): Furthest | undefined {
  const left = scaled(a);
  return furthestOf(
    [...a.ours].flatMap(([tensor, ours]) => {
      const theirs = b.ours.get(tensor);
      if (theirs === undefined || left.has(tensor)) return [];
      const relativeL2 =
        incomparable(ours, theirs) === undefined ? distances(ours, theirs).relativeL2 : Number.NaN;
      return [{ tensor, relativeL2 }];
    }),
  );
}

function pairsOf(witnesses: readonly Witness[]): MatrixPair[] {
  return witnesses.flatMap((a, i) =>
    witnesses.slice(i + 1).flatMap((b) =>
      a.results.flatMap((result) => {
        const other = b.results.find(({ stage }) => stage === result.stage);
        const furthest = other && furthestBetween(result, other);
        return furthest === undefined
          ? []
          : [{ stage: result.stage, a: a.name, b: b.name, furthest }];
      }),
    ),
  );
}

/** The witnesses' results on one model: each against the truth and PyTorch, and against each other. */
export const matrixOf = (
  model: string,
  witnesses: readonly Witness[],
  absent: readonly AbsentWitness[],
): Matrix => ({
  model,
  rows: witnesses.map(({ name, description, results }) => ({
    name,
    description,
    cells: results.map(cellOf),
  })),
  pairs: pairsOf(witnesses),
  absent,
});
