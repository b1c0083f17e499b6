import { type DdpRecord, stateNames, stepCount } from '../../../align/stages/ddp/ddpRecord.ts';
import { stateName } from '../../../align/stages/ddp/ddpRecording.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Variant } from '../variant.ts';

const isStatistic = (name: string): boolean =>
  /\.(running_(mean|var)|num_batches_tracked)$/.test(name);

/**
 * A rank whose weights are not rank 0's, from the start or from a step on: told of its losses, and of the list of what
 * was rank 0's. `ours` is what is to be explained, `under` what our side has by another name.
 */
export function* apartVariants(
  record: DdpRecord,
  rank: number,
  ours: Tensor,
  under: (name: string) => Tensor | undefined,
): Generator<Variant> {
  const names = stateNames(record);
  const same = under(stateName(rank));
  if (same === undefined || same.data.length !== names.length * stepCount(record)) return;
  const first = same.data.findIndex((is) => Number(is) === 0);
  if (first < 0) return;
  const step = Math.floor(first / names.length);
  const apart = names.filter((_, i) => Number(same.data[step * names.length + i]) === 0);
  const weights = apart.filter((name) => !isStatistic(name));
  const [one, ...others] = weights.length > 0 ? weights : apart;
  const which = `${one}${others.length > 0 ? ` and ${others.length} more` : ''}`;
  const kind = weights.length > 0 ? 'weights' : 'buffers';
  const says =
    step === 0
      ? `rank ${rank} begins with ${kind} of its own, not with rank 0's: ${which}`
      : `rank ${rank} has ${kind} of its own before step ${step + 1}, not rank 0's: ${which}`;
  yield { key: `apart ${rank} ${kind} ${step}`, says, value: ours, freedom: 1 };
}
