import { recorded, recordedNames } from '../../align/reference/recorded.ts';
import type { Reference } from '../../align/reference/reference.ts';
import { weightsFromSeed } from '../../align/reference/seedWeights.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Evidence } from '../suspect.ts';
import { averageBitsVariants } from './averageBits.ts';
import { averageVariants } from './averages.ts';
import { heldOf, recordedStatistics } from './recordedStatistics.ts';
import type { Variant } from './variant.ts';

const averages = 'average/';

/**
 * The models that stage *swa* averages, each weight at the elements that the reference holds. Our own initialisers draw
 * them: a wrong one gives other models, of which no average is near to anything.
 */
function snapshotsOf(reference: Reference): readonly ReadonlyMap<string, Float64Array>[] {
  const { settings, file } = reference.stage('swa');
  const arrays = reference.arrays(file);
  const names = recordedNames(arrays, averages);
  return (settings.snapshot_seeds ?? []).map((seed) => {
    const weights = weightsFromSeed(reference.model, seed);
    return new Map(
      names.map((name) => {
        const count = recorded(arrays, averages + name)!.truth.data.length;
        return [name, heldOf(weights.get(name)!, count)] as const;
      }),
    );
  });
}

/** Variants of what stage *swa* judges, by its name. */
export function swaVariants(reference: Reference) {
  const { settings, file, average_sha256: digest } = reference.stage('swa');
  const { images = 0, batch = 1, snapshot_seeds: seeds = [] } = settings;
  const arrays = reference.arrays(file);
  const sizes = Array.from({ length: Math.ceil(images / batch) }, (_, k) =>
    Math.min(batch, images - k * batch),
  );
  let snapshots: ReturnType<typeof snapshotsOf> | undefined;
  function* average(name: string, ours: Tensor): Generator<Variant> {
    snapshots ??= snapshotsOf(reference);
    const models = snapshots.flatMap((snapshot) => snapshot.get(name) ?? []);
    if (models.length === 0 || models.length < snapshots.length) return;
    yield* averageVariants(models, heldOf(ours, models[0].length));
  }
  return (name: string, { ours }: Evidence): Iterable<Variant> => {
    const found = ours(name);
    if (found === undefined) return [];
    if (name.startsWith(averages)) return average(name.slice(averages.length), found);
    if (name === 'average to the bit' && digest !== undefined) {
      const names = recordedNames(arrays, averages);
      return averageBitsVariants({ model: reference.model, names, seeds, digest });
    }
    const [, buffer] = /^bn_refresh\/(.*)$/.exec(name) ?? [];
    if (buffer === undefined) return [];
    const names = sizes.map((_, k) =>
      k + 1 < sizes.length ? `bn_refresh after batch ${k + 1}/${buffer}` : name,
    );
    return recordedStatistics(arrays, { names, images: sizes }, found);
  };
}
