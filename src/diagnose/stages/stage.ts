import { passed, type Verdict } from '../../align/judge/verdict.ts';
import type { StageName } from '../../align/reference/manifest.ts';
import { recordedBatch } from '../../align/reference/recordedBatch.ts';
import type { Reference } from '../../align/reference/reference.ts';
import { startingWeights, weightsFromSeed } from '../../align/reference/seedWeights.ts';
import { evaluationBatch } from '../../align/stages/evaluationBatch.ts';
import { initialWeights } from '../../align/stages/sameStart.ts';
import { smallModel } from '../../align/stages/small/smallNetwork.ts';
import type { FailedPart, ReferenceContext, StageFindings } from '../../align/stages/stage.ts';
import { layerWords } from '../../nn/layerWords.ts';
import { modelName } from '../../nn/models/index.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { classCount } from '../../train/dataset.ts';
import { withFedCauses } from '../fed/causes.ts';
import { initialOf } from '../initial/givenBy.ts';
import { causeOfInitial } from '../initial/initialWeights.ts';
import { type Around, diagnosedBy } from '../judged.ts';
import { stepsOfBackward, stepsOfOps } from '../optimizer/recordedSteps.ts';
import { ddpVariants } from '../otherwise/ddp.ts';
import { epochsVariants } from '../otherwise/epochs.ts';
import { metricVariants } from '../otherwise/metric.ts';
import { swaVariants } from '../otherwise/swa.ts';
import { opOrigins } from './opOrigins.ts';
import { originsOf } from './origins.ts';
import { ownGradients } from './ranks.ts';

type Given = Pick<ReferenceContext, 'reference' | 'weights'>;

/** The fixed batch that a stage sees in evaluation mode. */
function fakeBatch(given: Given, stage: 'forward' | 'loss'): Around {
  const { program, feeds } = evaluationBatch(given.reference, given.reference.stage(stage));
  const state = startingWeights(given);
  return {
    batch: feeds.get('images')!.shape[0],
    ...originsOf(program, [...program.fetches.keys()], { feeds, state }),
  };
}

/** What the run of stage *epochs* begins with. */
function smallStart(reference: Reference): TensorMap {
  const section = reference.stage('epochs');
  const { dataset, seed } = section.settings;
  const name = modelName(reference.manifest.model);
  return weightsFromSeed(smallModel(section.settings, name, classCount(dataset)), seed);
}

/** What each stage runs on, by torch.optim's names. */
const arounds: { readonly [S in StageName]: (given: Given) => Around } = {
  ops: ({ reference }) => ({ ...opOrigins(reference), steps: stepsOfOps(reference) }),
  forward: (given) => fakeBatch(given, 'forward'),
  loss: (given) => fakeBatch(given, 'loss'),
  metric: ({ reference }) => ({
    batch: reference.stage('metric').settings.batch,
    variants: metricVariants(reference),
  }),
  backward(given) {
    const { settings } = given.reference.stage('backward').kinkfree;
    const { program, feeds, start } = recordedBatch(given.reference);
    const state = start(startingWeights(given));
    const names = [...program.fetches.keys()];
    const origins = originsOf(program, names, { prefix: 'layers/', feeds: feeds(0), state });
    const steps = stepsOfBackward(given.reference, state);
    const optimizer = { kind: 'sgd', ...settings };
    return { batch: settings.images, optimizer, start: state, steps, ...origins };
  },
  train({ reference }) {
    const { settings } = reference.stage('train');
    return { batch: settings.batch, optimizer: { kind: 'sgd', ...settings } };
  },
  swa({ reference }) {
    const { batch } = reference.stage('swa').settings;
    return { ...(batch !== undefined && { batch }), variants: swaVariants(reference) };
  },
  epochs: ({ reference }) => ({
    batch: reference.stage('epochs').settings.batch,
    start: smallStart(reference),
    variants: epochsVariants(reference),
  }),
  // Ranks of each number have a batch of their own.
  ddp: ({ reference }) => ({ ranks: ownGradients(reference), variants: ddpVariants(reference) }),
};

/**
 * What a stage found, each failure with what the mistake is. Where nothing failed it is given back as it is, and
 * nothing is read or made.
 */
export function diagnosedStage<Findings extends StageFindings>(
  stage: StageName,
  findings: Findings,
  given: Given,
): Omit<Findings, 'failed'> {
  const { failed, ...rest } = findings;
  if (failed === undefined) return findings;
  const around = { ...arounds[stage](given), layers: layerWords(given.reference.model) };
  const verdicts = diagnosedBy(findings.verdicts, failed, around);
  const fed = withFedCauses(stage, verdicts, failed, given.reference);
  return { ...rest, verdicts: fed.map((verdict) => withInitial(verdict, stage, failed, given)) };
}

/** The verdict on digests of initial weights, with what the mistake in the weights is. */
function withInitial(
  verdict: Verdict,
  stage: StageName,
  failed: readonly FailedPart[],
  { reference, weights: given }: Given,
): Verdict {
  if (verdict.name !== initialWeights || passed(verdict) || given !== undefined) return verdict;
  const ours = failed.find(({ weights }) => weights !== undefined)?.weights;
  const known = ours && initialOf(reference, stage);
  const cause = known && causeOfInitial(ours, known);
  return cause === undefined ? verdict : { ...verdict, cause };
}
