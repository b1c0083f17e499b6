import type { Reference } from '../../align/reference/reference.ts';
import { scalar, type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import type { Evidence } from '../suspect.ts';
import { averageVariants } from './averages.ts';
import { averagedVariants, sizeVariants, toldVariants } from './decisions.ts';
import { meanVariants } from './means.ts';
import { heldIn, heldOf, recordedStatistics } from './recordedStatistics.ts';
import { rerunVariants } from './rerun.ts';
import { rateVariants } from './schedule.ts';
import type { RunSettings } from './settings.ts';
import type { Variant } from './variant.ts';

/** PyTorch's own, which all of the authors' models have. */
const batchNormMomentum = 0.1;

/** What stage *epochs* calls the second part of its run. */
const resumed = 'resumed: ';

const noRefresh: readonly Variant[] = [
  {
    key: 'no refresh',
    says: "no pass refreshes the average's statistics",
    value: tensor('uint8', [0, 32], new Uint8Array(0)),
  },
];

/** Variants of what stage *epochs* judges, by its name. */
export function epochsVariants(reference: Reference) {
  const { settings: s } = reference.stage('epochs');
  const runFrom = (from: number): RunSettings => ({
    lrInit: s.lr_init,
    swa: { start: s.swa_start, lr: s.swa_lr, cycle: s.swa_c_epochs },
    epochs: s.epochs,
    steps: Math.ceil(s.images / s.batch),
    from,
  });
  const arrays = reference.arrays(reference.stage('epochs').file);
  const steps = Math.ceil(s.images / s.batch);
  const images = Array.from({ length: steps }, (_, k) => Math.min(s.batch, s.images - k * s.batch));
  function* computed(name: string, ours: Tensor): Generator<Variant> {
    yield* rerunVariants(arrays, name, s);
    const [, models, weight] = /^average of (\d+)\/(.*\.(?:weight|bias))$/.exec(name) ?? [];
    if (weight !== undefined) {
      const joined = Array.from({ length: Number(models) }, (_, k) =>
        heldIn(arrays, `epoch ${s.swa_start + k * s.swa_c_epochs}/${weight}`),
      );
      const known = joined.flatMap((values) => values ?? []);
      if (known.length === joined.length) {
        yield* averageVariants(known, heldOf(ours, known[0].length));
      }
    }
    const [, buffer] = /^epoch 1\/(.*\.running_\w+)$/.exec(name) ?? [];
    if (buffer === undefined) return;
    const names = images.map((_, k) =>
      k + 1 < steps ? `after step ${k + 1}/${buffer}` : `epoch 1/${buffer}`,
    );
    yield* recordedStatistics(arrays, { names, images, momentum: batchNormMomentum }, ours);
  }
  /** Of the loss of a step, and of the log's mean over an epoch's steps. */
  function* losses(name: string, run: RunSettings, ours: Evidence['ours']): Generator<Variant> {
    const { from } = run;
    const step = Number(/^loss@(\d+)$/.exec(name)?.[1] ?? Number.NaN);
    const size = images[step % steps];
    if (size < s.batch) {
      const truth = toFloat64(arrays.get('f64/losses')!)[step];
      yield {
        key: 'short batch by full size',
        says: `the short batch of ${size} is divided by ${s.batch}, the size of a full one`,
        value: scalar((truth * size) / s.batch),
      };
    }
    const epoch = Number(/^trainLoss of epoch (\d+)$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(epoch)) return;
    const prefix = from > 0 ? resumed : '';
    const first = Math.max(from, (epoch - 1) * steps);
    const told = Array.from({ length: epoch * steps - first }, (_, k) => first + k);
    const means = told.map((k) => toFloat64(ours(`${prefix}loss@${k}`) ?? scalar(Number.NaN))[0]);
    const sizes = told.map((k) => images[k % steps]);
    if (told.length === steps) {
      yield* meanVariants({ means, sizes, full: s.batch });
      return;
    }
    const sum = means.reduce((all, mean, k) => all + mean * sizes[k], 0);
    for (const count of [s.images, sizes.reduce((a, b) => a + b, 0)]) {
      yield {
        key: 'steps after resuming',
        says: `is of the steps after resuming only, divided by ${count} images`,
        value: scalar(sum / count),
      };
    }
  }
  return (name: string, { ours }: Evidence): Iterable<Variant> => {
    const bare = name.replace(resumed, '');
    const run = runFrom(bare === name ? 0 : s.stop_after);
    const found = ours(name);
    if (found === undefined) return [];
    if (bare === 'learning rate') return rateVariants(run, toFloat64(found));
    if (bare === 'models averaged') return averagedVariants(run);
    if (bare === 'batch-norm refresh') return noRefresh;
    if (bare === 'batch sizes') return sizeVariants(run, s);
    const [, column] = /^(\w+) is told$/.exec(bare) ?? [];
    if (column !== undefined) {
      return toldVariants(run, { evalFreq: s.eval_freq, average: column.startsWith('swa') });
    }
    return [...computed(bare, found), ...losses(bare, run, ours)];
  };
}
