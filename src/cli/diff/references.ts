import { join } from 'node:path';
import { type StageName, stageNames } from '../../align/reference/manifest.ts';
import {
  fixturesDirectory,
  openReference,
  type Reference,
} from '../../align/reference/reference.ts';
import { UsageError } from '../../errors.ts';
import { type ModelName, modelName, models } from '../../nn/models/index.ts';
import type { DiffOptions } from './options.ts';

/** What a bare `diff` holds against PyTorch: a minute's work. The first one's logs lie in the directory itself. */
export const usualModels = ['vgg16', 'vgg16bn'] as const satisfies readonly ModelName[];

/** And of a third one its whole small run, whose settings are not the recipe's. */
export const usualBesides: { readonly model: ModelName; readonly stage: StageName } = {
  model: 'preresnet110',
  stage: 'epochs',
};

/** All seven have references that come with the package. */
const allModels = Object.keys(models) as ModelName[];

/** The stages that were named, in their own order; all where none was. Throws UsageError. */
export function stagesCalled(names: readonly string[]): readonly StageName[] {
  for (const name of names) {
    if (!stageNames.includes(name as StageName)) {
      throw new UsageError(`there is no stage "${name}"`, {
        fix: `choose from ${stageNames.join(', ')}`,
      });
    }
  }
  return names.length === 0 ? stageNames : stageNames.filter((s) => names.includes(s));
}

/** The references to run, opened and checked before anything is computed or written. */
export function references(options: DiffOptions, wanted: readonly StageName[]): Reference[] {
  const all = options.model === 'all';
  const named = options.model === undefined || all ? undefined : modelName(options.model);
  if (options.weights !== undefined && named === undefined && options.reference === undefined) {
    throw new UsageError('--weights belong to one model', { fix: 'name it with --model' });
  }
  const directory = (model: string): string => join(fixturesDirectory, 'reference', model);
  const path = options.reference ?? (named && directory(named));
  if (path !== undefined) {
    const reference = openReference(path, named);
    // All stages are those it holds; one that was named must be there.
    if (wanted.length < stageNames.length) for (const s of wanted) reference.stage(s);
    return [reference];
  }
  return (all ? allModels : usualModels)
    .map((model) => openReference(directory(model), model))
    .filter(({ manifest }) => wanted.some((s) => manifest.stages[s] !== undefined));
}

/** What a bare run looks at besides: of that reference one stage, as if it held no other. */
export function besides(options: DiffOptions, wanted: readonly StageName[]): Reference[] {
  const { model, reference, backends, allBackends, trace } = options;
  const { model: another, stage } = usualBesides;
  const bare = [model, reference, backends, allBackends, trace].every((o) => o === undefined);
  if (!bare || !wanted.includes(stage)) return [];
  const whole = openReference(join(fixturesDirectory, 'reference', another));
  const { manifest } = whole;
  return [{ ...whole, manifest: { ...manifest, stages: { [stage]: manifest.stages[stage] } } }];
}
