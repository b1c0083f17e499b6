import type { Backend } from '../../backends/backend.ts';
import { DeviceError } from '../../errors.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { overridesFor } from '../judge/overrides/overrideFile.ts';
import type { Override } from '../judge/overrides/overrides.ts';
import type { StageName } from '../reference/manifest.ts';
import type { Reference } from '../reference/reference.ts';
import type { RunRanks } from '../stages/ddp/ranks.ts';
import { exportedForward, exportedModel } from '../stages/exportedModel.ts';
import { stages } from '../stages/index.ts';
import { runStage } from '../stages/runStage.ts';
import type { Stage, StageContext, StageResult } from '../stages/stage.ts';
import type { Trace } from '../trace/trace.ts';
import { traceStep } from '../trace/traceStep.ts';
import { affordable, tooLongText } from './affordable.ts';

/** Runs of one or several backends through the stages of one or several references. */
export interface Runs {
  /** By their names on the command line, in the order in which they are run and shown. */
  readonly backends: readonly string[];
  /** Throws DeviceError for a backend that this machine does not have. */
  readonly open: (name: string) => Promise<Backend>;
  /** Several are held against each other too, and against the graph that PyTorch exports. */
  readonly sideBySide: boolean;
  /** True where the user named the backends: then none may be missing, and none is too slow. */
  readonly named: boolean;
  readonly stages: readonly StageName[];
  readonly references: readonly Reference[];
  /** Says in float64 which decisions rounding has flipped. */
  readonly oracle: Backend;
  readonly weights?: TensorMap;
  readonly overrides?: readonly Override[];
  /** Look for flipped decisions however long the oracle takes. */
  readonly flips?: boolean;
  /** Also tell a step layer by layer. */
  readonly trace?: boolean;
  /** Told what begins where a stage lasts. */
  readonly progress?: (text: string) => void;
  /** Says of a result's failures what the mistake is; asked where something failed. */
  readonly diagnose?: (result: StageResult, context: StageContext) => StageResult;
  /** Makes what several ranks do in processes of their own, each with such a backend. */
  readonly ranks?: (backend: string) => RunRanks;
  /** Runs an ONNX model that is not ours. */
  readonly runOnnx: (bytes: Uint8Array, feeds: TensorMap) => Promise<TensorMap>;
}

/** One backend on one reference, and what it found. */
export interface Witness {
  /** As on the command line: `ort`, `tfjs:webgpu`. */
  readonly name: string;
  /** Library, version, device. */
  readonly description: string;
  readonly reference: Reference;
  readonly results: readonly StageResult[];
  readonly trace?: Trace;
}

export type RunEvent =
  | { readonly kind: 'opening'; readonly name: string }
  /** Not there, or too slow: of one reference's model, or of all. */
  | {
      readonly kind: 'absent';
      readonly name: string;
      readonly why: string;
      readonly reference?: Reference;
    }
  | { readonly kind: 'reference'; readonly witness: Witness }
  | { readonly kind: 'begins'; readonly witness: Witness; readonly part: StageName | 'trace' }
  | { readonly kind: 'stage'; readonly witness: Witness; readonly result: StageResult }
  | { readonly kind: 'trace'; readonly witness: Witness; readonly trace: Trace }
  | { readonly kind: 'witness'; readonly witness: Witness };

/** A backend that is here, or why not. */
async function openPresent(name: string, { open, named }: Runs): Promise<Backend | string> {
  if (named) return open(name);
  return open(name).catch((error: unknown) => {
    if (error instanceof DeviceError) return error.message;
    throw error;
  });
}

const contextOf = (
  runs: Runs,
  { name, reference }: Pick<Witness, 'name' | 'reference'>,
  backend: Backend,
): StageContext => ({
  backend,
  reference,
  oracle: runs.oracle,
  overrides: overridesFor(runs.overrides ?? [], reference.manifest.model),
  ...(runs.weights && { weights: runs.weights }),
  ...(runs.flips && { flips: true }),
  ...(runs.progress && { progress: runs.progress }),
  ...(runs.ranks && { ranks: runs.ranks(name) }),
});

async function* onReference(
  runs: Runs,
  witness: Witness,
  backend: Backend,
  chosen: readonly (readonly [StageName, Stage])[],
): AsyncGenerator<RunEvent, void, undefined> {
  const context = contextOf(runs, witness, backend);
  yield { kind: 'reference', witness };
  const results: StageResult[] = [];
  // One after the other: products use all cores anyway.
  for (const [name, stage] of chosen) {
    yield { kind: 'begins', witness, part: name };
    const found = await runStage(name, stage, context);
    const result = found.passed ? found : (runs.diagnose?.(found, context) ?? found);
    results.push(result);
    yield { kind: 'stage', witness, result };
  }
  if (runs.trace !== true) {
    yield { kind: 'witness', witness: { ...witness, results } };
    return;
  }
  yield { kind: 'begins', witness, part: 'trace' };
  const trace = await traceStep({ ...context, oracle: runs.oracle });
  yield { kind: 'trace', witness, trace };
  yield { kind: 'witness', witness: { ...witness, results, trace } };
}

const exportedName = 'ort, PyTorch’s export';

/** The stage *forward* of the graph that PyTorch exports, where there is one. */
async function* exported(
  runs: Runs,
  reference: Reference,
): AsyncGenerator<RunEvent, void, undefined> {
  const found = exportedModel(reference.manifest.model);
  const why = !runs.stages.includes('forward')
    ? 'it has only the stage forward'
    : 'fixtures/export_onnx.py has not exported this model';
  if (found === undefined || !runs.stages.includes('forward')) {
    yield { kind: 'absent', name: exportedName, why, reference };
    return;
  }
  const description = `the ONNX graph that PyTorch ${found.torch} exports, by ONNX Runtime`;
  const witness: Witness = { name: exportedName, description, reference, results: [] };
  const stage = exportedForward((feeds) => runs.runOnnx(found.bytes, feeds));
  // The graph brings its own engine: of our backends it asks none.
  yield* onReference({ ...runs, trace: false }, witness, runs.oracle, [['forward', stage]]);
}

const heldBy = ({ manifest }: Reference, { stages: wanted }: Runs): StageName[] =>
  wanted.filter((stage) => manifest.stages[stage] !== undefined);

/** How many stages and traces begin at most: fewer where one is left out. */
export function partsOf(runs: Runs): number {
  const { references, backends, trace, sideBySide } = runs;
  const each = references.map((r) => heldBy(r, runs).length + (trace ? 1 : 0));
  const all = backends.length * each.reduce((sum, n) => sum + n, 0);
  return all + (sideBySide ? references.length : 0);
}

/** The stages that a backend is asked for on a reference, and what of them would take it too long. */
async function stagesFor(runs: Runs, backend: Backend, reference: Reference) {
  const held = heldBy(reference, runs);
  return runs.sideBySide && !runs.named
    ? affordable(backend, held, reference)
    : { run: held, tooLong: new Map<StageName, number>() };
}

/**
 * Runs the stages of every reference on every backend in turn, telling what begins and what was found. Several
 * backends are one backend several times. Throws DeviceError when a backend that was named is missing.
 */
export async function* runAll(runs: Runs): AsyncGenerator<RunEvent, void, undefined> {
  for (const name of runs.backends) {
    yield { kind: 'opening', name };
    const backend = await openPresent(name, runs);
    if (typeof backend === 'string') {
      yield { kind: 'absent', name, why: backend };
      continue;
    }
    for (const reference of runs.references) {
      const { run, tooLong } = await stagesFor(runs, backend, reference);
      if (tooLong.size > 0) yield { kind: 'absent', name, why: tooLongText(tooLong), reference };
      const { description } = backend;
      const witness: Witness = { name, description, reference, results: [] };
      const chosen = run.map((stage) => [stage, stages[stage]] as const);
      yield* onReference(runs, witness, backend, chosen);
    }
    await backend.close?.();
  }
  if (!runs.sideBySide) return;
  for (const reference of runs.references) yield* exported(runs, reference);
}
