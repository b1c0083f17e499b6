import { evaluationStep } from '../../program/evaluationStep.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { meanAbsBar } from '../orderOfOne.ts';
import { judgeRecorded, recorded, recordedNames } from '../recorded.ts';
import { startingWeights } from '../seedWeights.ts';
import type { Stage, StageContext } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { check, type Verdict } from '../verdict.ts';
import { type EvaluationBatch, evaluationBatch } from './evaluationBatch.ts';

/**
 * Evaluation mode, the fixed fake images or the reference's own. The logits come from the program as it is used in
 * earnest; every layer's output from a second one that keeps them all. In a network so deep that PyTorch's own
 * worst layer comes near the bar, the bar is four times that.
 */
export const forward: Stage = async (context) => {
  const { reference } = context;
  const section = reference.stage('forward');
  const arrays = reference.arrays(section.file);
  const data = evaluationBatch(reference, section);
  const { weights, verdict } = startingWeights(context);
  const layerNames = recordedNames(arrays, '').filter((name) => name !== 'logits');
  const { logits, layers } = await forwardPasses(context, weights, data, layerNames);

  const relativeL2 = Math.max(
    tolerances.relativeL2,
    tolerances.lossNoiseFactor * (section.noise?.layers?.worst ?? 0),
  );
  const judged = judgeRecorded('logits', logits, recorded(arrays, 'logits')!, { relativeL2 });
  const logitsVerdict: Verdict =
    judged.verdict.distances === undefined
      ? judged.verdict
      : {
          ...judged.verdict,
          checks: [
            check('mean', judged.verdict.distances.meanAbs, meanAbsBar(judged.pytorch)),
            ...judged.verdict.checks,
          ],
        };
  const layerVerdicts = layerNames.map((name) => {
    const output = layers.get(name);
    return output === undefined
      ? { name, checks: [], problem: 'our model has no such layer' }
      : judgeRecorded(name, output, recorded(arrays, name)!, { relativeL2 }).verdict;
  });
  return {
    verdicts: [verdict, ...layerVerdicts, logitsVerdict],
    ours: new Map([['logits', judged.ours]]),
    pytorch: new Map([['logits', judged.pytorch]]),
    inputs: data.inputs.slice(0, 1),
    notes: [],
  };
};

async function forwardPasses(
  { backend, reference }: StageContext,
  weights: TensorMap,
  { images, labels }: EvaluationBatch,
  layerNames: readonly string[],
): Promise<{ logits: Tensor; layers: ReadonlyMap<string, Tensor> }> {
  const program = evaluationStep(reference.model, images.shape);
  const state = await backend.upload(weights);
  const run = async (fetches: readonly string[]): Promise<ReadonlyMap<string, Tensor>> => {
    const executable = await backend.compile(program, fetches);
    const results = await executable.run(
      state,
      new Map<string, Tensor>([
        ['images', images],
        ['labels', labels],
      ]),
    );
    await executable.dispose();
    return results;
  };
  const known = layerNames.filter((name) => program.fetches.has(name));
  const logits = (await run(['logits'])).get('logits')!;
  const layers = await run(known);
  await backend.free(state);
  return { logits, layers };
}
