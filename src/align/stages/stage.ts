import type { Backend } from '../../backends/backend.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import type { Expectation, Rule } from '../judge/expectation.ts';
import type { Failed, Judged } from '../judge/judge.ts';
import type { Override } from '../judge/overrides/overrides.ts';
import { passed, type Verdict } from '../judge/verdict.ts';
import type { StageName } from '../reference/manifest.ts';
import type { Reference } from '../reference/reference.ts';
import type { RunRanks } from './ddp/ranks.ts';
import type { Fed } from './fed.ts';

/** What a program is held against. */
export interface ReferenceContext {
  readonly reference: Reference;
  /** Stands in for the weights that are otherwise drawn from the reference's seed. */
  readonly weights?: TensorMap;
  /** Limits set by hand, for this reference's model. */
  readonly overrides?: readonly Override[];
  /** Computes in float64; asked where a decision may have flipped. */
  readonly oracle?: Backend;
  /** Ask it however long it takes. */
  readonly flips?: boolean;
  /** Told what begins where a stage lasts. */
  readonly progress?: (text: string) => void;
  /** Leave the rest of a stage out once a part of it has failed: for callers that only need to know whether it fails, and where. */
  readonly firstFailureOnly?: boolean;
}

export interface StageContext extends ReferenceContext {
  readonly backend: Backend;
  /** Makes what several ranks do in processes of their own; they are in this one where nothing is said. */
  readonly ranks?: RunRanks;
}

/** What our side computed for a part of a stage. */
export interface PartRun {
  /** In the order in which it is computed. */
  readonly recording: TensorMap;
  /** What could not be computed, and why. */
  readonly leftOut?: ReadonlyMap<string, string>;
  /** What this backend cannot be asked for, and why: it is told, not judged. */
  readonly notAsked?: ReadonlyMap<string, string>;
  /** What stands behind the digests of what programs were fed. */
  readonly fed?: Fed;
  /** The weights whose digests it tells. */
  readonly weights?: TensorMap;
  /** Rules that only a run can know: a value held against another that it made. */
  readonly rules?: ReadonlyMap<string, Rule>;
  /** Paths below fixtures/ of the inputs it read. */
  readonly inputs?: readonly string[];
  /** Lines worth reading beside the verdicts. */
  readonly notes?: readonly string[];
}

/** Another look at what was judged: it may excuse, with its reason, what a decision of rounding explains. */
export interface Review {
  readonly verdicts: readonly Verdict[];
  readonly notes: readonly string[];
}

/** A part of a stage: what is run, and what is expected of it. `judge` does the rest. */
export interface Part {
  /** What it compiles is kept until its stage ends, for parts that say so too: networks so small that they are compiled for longer than they run. */
  readonly keepsPrograms?: true;
  readonly run: (context: StageContext) => Promise<PartRun>;
  /** In the order in which things are computed: the first that fails is where the mistake is. */
  readonly expect: (context: ReferenceContext, ran: PartRun) => readonly Expectation[];
  readonly review?: (context: StageContext, ran: PartRun, judged: Judged) => Promise<Review>;
}

/** The parts of a stage that a reference holds, those that point at one place first. */
export type Stage = (reference: Reference) => readonly Part[];

/** A part in which something failed, for the diagnosis. */
export interface FailedPart extends Failed, Pick<PartRun, 'fed' | 'weights'> {}

/** What a stage found, before anybody prints it. */
export interface StageFindings extends Judged {
  readonly inputs: readonly string[];
  readonly notes: readonly string[];
  /** The parts in which something failed; none where all passed. */
  readonly failed?: readonly FailedPart[];
}

/** `Name` is one of ours, or what a reader of a foreign recording calls its judgement. */
export interface StageResult<Name extends string = StageName> extends StageFindings {
  readonly stage: Name;
  readonly model: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** What was found as a result: passed where something was judged and nothing failed. */
export function stageResult<Name extends string>(
  stage: Name,
  findings: StageFindings,
  run: Pick<StageResult, 'model' | 'seconds'>,
): StageResult<Name> {
  const { verdicts } = findings;
  return { ...findings, ...run, stage, passed: verdicts.length > 0 && verdicts.every(passed) };
}
