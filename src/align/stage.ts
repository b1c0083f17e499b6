import type { Backend } from '../backends/backend.ts';
import type { TensorMap } from '../tensor/tensor.ts';
import type { StageName } from './manifest.ts';
import { type Override, withOverride } from './overrides.ts';
import type { Reference } from './reference.ts';
import { passed, type Verdict } from './verdict.ts';

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
  /** Leave the rest of a stage out once a part of it has failed: for who only asks whether, and where. */
  readonly firstFailureOnly?: boolean;
}

export interface StageContext extends ReferenceContext {
  readonly backend: Backend;
}

/** What a stage found, before anybody prints it. */
export interface StageFindings {
  readonly verdicts: readonly Verdict[];
  /** What was compared, for `*_ts.npy` and `*_pytorch.npy`. */
  readonly ours: TensorMap;
  readonly pytorch: TensorMap;
  /** Paths below fixtures/ of the inputs it read. */
  readonly inputs: readonly string[];
  /** Lines worth reading beside the verdicts. */
  readonly notes: readonly string[];
}

export type Stage = (context: StageContext) => Promise<StageFindings>;

export interface StageResult extends StageFindings {
  readonly stage: StageName;
  readonly model: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** Runs a stage and takes its time. */
export async function runStage<Context extends ReferenceContext>(
  name: StageName,
  stage: (context: Context) => Promise<StageFindings>,
  context: Context,
): Promise<StageResult> {
  const start = performance.now();
  const findings = await stage(context);
  const { overrides = [] } = context;
  const verdicts = findings.verdicts.map((verdict) => withOverride(verdict, overrides));
  return {
    ...findings,
    verdicts,
    stage: name,
    model: context.reference.manifest.model,
    passed: verdicts.length > 0 && verdicts.every(passed),
    seconds: (performance.now() - start) / 1000,
  };
}
