import type { StageName } from '../align/reference/manifest.ts';
import { recordedBatch } from '../align/reference/recordedBatch.ts';
import type { Reference } from '../align/reference/reference.ts';
import { startingWeights } from '../align/reference/seedWeights.ts';
import type { ReferenceContext, StageFindings } from '../align/stages/stage.ts';
import { layerWords } from '../nn/layerWords.ts';
import { type Around, diagnosedBy } from './judged.ts';
import { epochsVariants } from './otherwise/epochs.ts';

type Given = Pick<ReferenceContext, 'reference' | 'weights'>;

/** Images of the fixed batch that a stage sees. */
const fakeImages = (reference: Reference, stage: 'forward' | 'loss'): Around => ({
  batch:
    reference.stage(stage).settings?.images ?? reference.input('inputs/fake_data.npy').shape[0],
});

/** What each stage runs on, by torch.optim's names. */
const arounds: { readonly [S in StageName]: (given: Given) => Around } = {
  ops: () => ({}),
  forward: ({ reference }) => fakeImages(reference, 'forward'),
  loss: ({ reference }) => fakeImages(reference, 'loss'),
  metric: ({ reference }) => ({ batch: reference.stage('metric').settings.batch }),
  backward(given) {
    const { settings } = given.reference.stage('backward').kinkfree;
    const start = recordedBatch(given.reference).start(startingWeights(given));
    return { batch: settings.images, optimizer: settings, start };
  },
  train({ reference }) {
    const { settings } = reference.stage('train');
    return { batch: settings.batch, optimizer: settings };
  },
  swa({ reference }) {
    const { batch } = reference.stage('swa').settings;
    return batch === undefined ? {} : { batch };
  },
  epochs: ({ reference }) => ({
    batch: reference.stage('epochs').settings.batch,
    variants: epochsVariants(reference),
  }),
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
  return { ...rest, verdicts: diagnosedBy(findings.verdicts, failed, around) };
}
