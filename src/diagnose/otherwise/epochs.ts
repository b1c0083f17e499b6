import type { Reference } from '../../align/reference/reference.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
import type { Evidence } from '../suspect.ts';
import { averagedVariants, sizeVariants, toldVariants } from './decisions.ts';
import { rateVariants } from './schedule.ts';
import type { RunSettings } from './settings.ts';
import type { Variant } from './variant.ts';

/** What stage *epochs* calls the second part of its run. */
const resumed = 'resumed: ';

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
  return (name: string, { ours }: Evidence): Iterable<Variant> => {
    const bare = name.replace(resumed, '');
    const run = runFrom(bare === name ? 0 : s.stop_after);
    const found = ours(name);
    if (found === undefined) return [];
    if (bare === 'learning rate') return rateVariants(run, toFloat64(found));
    if (bare === 'models averaged') return averagedVariants(run);
    if (bare === 'batch sizes') return sizeVariants(run, s);
    const [, column] = /^(\w+) is told$/.exec(bare) ?? [];
    if (column !== undefined) {
      return toldVariants(run, { evalFreq: s.eval_freq, average: column.startsWith('swa') });
    }
    return [];
  };
}
