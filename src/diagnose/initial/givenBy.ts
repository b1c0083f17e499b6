import type { StageName } from '../../align/reference/manifest.ts';
import type { Reference } from '../../align/reference/reference.ts';
import { smallModel } from '../../align/stages/small/smallNetwork.ts';
import { modelName } from '../../nn/models/index.ts';
import { initPlan } from '../../nn/module.ts';
import { classCount } from '../../train/dataset.ts';
import type { Given } from './initialWeights.ts';

/** What a reference tells of the weights that a stage begins with; undefined where it holds their digests only. */
export function initialOf(reference: Reference, stage: StageName): Given | undefined {
  if (stage === 'train' || stage === 'ddp') return undefined;
  if (stage === 'epochs') {
    const section = reference.stage('epochs');
    const { weights, settings, file } = section;
    const arrays = reference.arrays(file);
    const classes = classCount(settings.dataset);
    const model = smallModel(settings, modelName(reference.manifest.model), classes);
    return { ...weights, arrays, plan: initPlan(model) };
  }
  const { weights } = reference.manifest;
  if (weights.file === undefined) return undefined;
  return { ...weights, arrays: reference.arrays(weights.file), plan: initPlan(reference.model) };
}
