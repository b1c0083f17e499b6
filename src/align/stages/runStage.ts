import { compilingOnce } from '../../backends/compilingOnce.ts';
import { releasing } from '../../backends/holding.ts';
import { judge } from '../judge/judge.ts';
import { passed } from '../judge/verdict.ts';
import type { StageName } from '../reference/manifest.ts';
import {
  type Part,
  type Stage,
  type StageContext,
  type StageFindings,
  type StageResult,
  stageResult,
} from './stage.ts';

async function findingsOf(part: Part, context: StageContext): Promise<StageFindings> {
  const ran = await part.run(context);
  const { notAsked = new Map<string, string>() } = ran;
  const expected = part.expect(context, ran).filter(({ name }) => !notAsked.has(name));
  const judged = judge(ran, expected, context.overrides);
  const unsettled = judged.verdicts.some((v) => !passed(v) && v.problem === undefined);
  const review =
    unsettled && part.review !== undefined
      ? await part.review(context, ran, judged)
      : { verdicts: judged.verdicts, notes: [] };
  const right = review.verdicts.every(passed);
  const { recording, fed, weights } = ran;
  const more = { ...(fed && { fed }), ...(weights && { weights }) };
  return {
    ...judged,
    ...(!right && { failed: [{ recording, expectations: expected, ...more }] }),
    verdicts: review.verdicts,
    inputs: ran.inputs ?? [],
    notes: [
      ...(ran.notes ?? []),
      ...[...notAsked].map(([name, why]) => `${name} is not asked for: ${why}`),
      ...review.notes,
    ],
  };
}

/** Runs and judges the parts of a stage one after the other; see `firstFailureOnly`. */
export async function judgeStage(stage: Stage, context: StageContext): Promise<StageFindings> {
  const found: StageFindings[] = [];
  await releasing(async (on) => {
    const { backend } = context;
    const sharing = {
      ...context,
      backend: compilingOnce({ ...backend, compile: on(backend).compile }),
    };
    for (const part of stage(context.reference)) {
      const findings = await findingsOf(part, part.keepsPrograms ? sharing : context);
      found.push(findings);
      if (context.firstFailureOnly === true && !findings.verdicts.every(passed)) break;
    }
  });
  const failed = found.flatMap((f) => f.failed ?? []);
  return {
    ...(failed.length > 0 && { failed }),
    verdicts: found.flatMap((f) => f.verdicts),
    ours: new Map(found.flatMap((f) => [...f.ours])),
    pytorch: new Map(found.flatMap((f) => [...f.pytorch])),
    inputs: [...new Set(found.flatMap((f) => f.inputs))],
    notes: found.flatMap((f) => f.notes),
  };
}

/** Runs a stage and takes its time. */
export async function runStage(
  name: StageName,
  stage: Stage,
  context: StageContext,
): Promise<StageResult> {
  const start = performance.now();
  const findings = await judgeStage(stage, context);
  const { model } = context.reference.manifest;
  return stageResult(name, findings, { model, seconds: (performance.now() - start) / 1000 });
}
