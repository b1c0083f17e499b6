import type { Backend } from '../../backends/backend.ts';
import { decidedOn, decisionsOf, nudged, withDecisions } from '../../program/decisions.ts';
import { sameShape } from '../../tensor/shape.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { decisionsApart } from '../branches/flips.ts';
import { overrideOf } from '../judge/overrides/overrides.ts';
import { type Flip, passed } from '../judge/verdict.ts';
import { recordedBatch } from '../reference/recordedBatch.ts';
import { startingWeights } from '../reference/seedWeights.ts';
import { type TraceRecord, traceRecords } from '../reference/traceRecords.ts';
import { barFor } from '../stages/modelBar.ts';
import { judgeStage } from '../stages/runStage.ts';
import { sameStart } from '../stages/sameStart.ts';
import type { StageContext } from '../stages/stage.ts';
import { type Proof, proofOf, runOnce } from './evidence.ts';
import { layersAlone } from './layersAlone.ts';
import { notesOn } from './notes.ts';
import { tracePlan } from './plan.ts';
import { judgeRow, unknownRow } from './row.ts';
import { rowPassed, type Trace, type TraceRow, traceOf } from './trace.ts';

export interface TraceContext extends StageContext {
  /** Computes in float64; believed where it repeats PyTorch's float64. */
  readonly oracle: Backend;
}

/**
 * The first training step on the recorded batch, told layer by layer: every output, every gradient at an
 * output, every weight gradient, each by its error to float64 beside PyTorch's own, and by what its layer
 * adds by itself on the reference's inputs.
 *
 * A reference holds samples, so the whole inputs come from the oracle, which runs the same graph in
 * float64 and stands for the reference wherever it repeats what PyTorch recorded. Where it does not, the
 * mistake is in the graph, its adjoints or its weights, and not in the backend.
 */
export async function traceStep(context: TraceContext): Promise<Trace> {
  const { backend, oracle, reference, overrides = [] } = context;
  const records = traceRecords(reference);
  const weights = startingWeights(context);
  const [verdict] = (await judgeStage(() => [sameStart], context)).verdicts;
  const { program, feeds, start } = recordedBatch(reference);
  const plan = tracePlan(program).filter(({ name }) => records.has(name));
  const decisions = decisionsOf(program);
  const step = {
    weights: start(weights),
    feeds: feeds(reference.stage('trace').settings.iteration),
  };
  const watched = withDecisions(program);
  const names = plan.map(({ name }) => name);
  const fetches = [...names, ...decisions.map(({ layer }) => decidedOn(layer))];
  const [ours, truth] = await Promise.all(
    [backend, oracle].map((on) => runOnce(on, watched, fetches, step)),
  );

  const proofs = new Map(
    names.map((name) => [name, proofOf(truth.get(name)!, records.get(name)!)]),
  );
  const known = knownTensors(names, records, proofs, truth);
  const alone = await layersAlone(context, plan, known, step);
  const bar = barFor(reference.model);
  const rowsWith = (imposed?: { truth: TensorMap; flips: readonly Flip[] }): TraceRow[] => {
    const agreeing = new Set<string>();
    return plan.map((planned, before) => {
      const { name, reads } = planned;
      const override = overrideOf(overrides, name);
      const [whole, own] = [known.get(name), alone.get(name)];
      const row = judgeRow({
        planned,
        ours: ours.get(name)!,
        record: records.get(name)!,
        proof: proofs.get(name)!,
        inputsAgree: reads.every((input) => agreeing.has(input)),
        allBeforeAgree: agreeing.size === before,
        bar,
        ...(whole === undefined ? {} : { truth: whole }),
        ...(own === undefined ? {} : { alone: own }),
        ...(override === undefined ? {} : { override }),
        ...(imposed === undefined
          ? {}
          : { imposed: { truth: imposed.truth.get(name)!, flips: imposed.flips } }),
      });
      if (rowPassed(row)) agreeing.add(name);
      return row;
    });
  };
  const apart = decisionsApart(decisions, ours, truth, bar);
  let rows = rowsWith();
  const excusable = apart.flips.length > 0 && apart.beyond.length === 0;
  if (excusable && rows.some(({ state }) => state !== 'agrees')) {
    const imposed = await runOnce(oracle, nudged(program), names, {
      weights: step.weights,
      feeds: new Map([...step.feeds, ...apart.nudges]),
    });
    rows = rowsWith({ truth: imposed, flips: apart.flips });
  }
  const absent = [...records].filter(([name]) => !names.includes(name));
  const all = [...rows, ...absent.map(([name, record]) => unknownRow(name, record))];
  const weightsAgree = passed(verdict);
  const notes = notesOn({ rows: all, proofs, apart, weightsAgree });
  return traceOf(reference.manifest.model, all, notes);
}

/** The truth of every tensor that is known whole: recorded whole, or proven to be the oracle's. */
function knownTensors(
  names: readonly string[],
  records: ReadonlyMap<string, TraceRecord>,
  proofs: ReadonlyMap<string, Proof>,
  oracle: TensorMap,
): TensorMap {
  const known = new Map<string, Tensor>();
  for (const name of names) {
    const { record } = records.get(name)!;
    const own = oracle.get(name)!;
    const whole = record.moments === undefined && sameShape(record.truth.shape, own.shape);
    if (whole) known.set(name, record.truth);
    else if (proofs.get(name)!.proven) known.set(name, own);
  }
  return known;
}
