import type { Communicator } from '../../../distributed/communicator.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { type Tensor, tensor, toFloat32 } from '../../../tensor/tensor.ts';
import { bucketsFor, meanOfGradients } from '../../../train/loop/meanOfGradients.ts';
import type { Reference } from '../../reference/reference.ts';
import { samplePositions } from '../../reference/samplePositions.ts';
import {
  type DdpRecord,
  type HeldGradient,
  heldGradients,
  meanName,
  recordedMeans,
} from './ddpRecord.ts';

const isWhole = ({ shape, count }: HeldGradient): boolean => sizeOf(shape) === count;

/** A whole gradient that has the recorded numbers in their places, and zeros elsewhere: no place looks at another. */
function spread(held: HeldGradient, row: Float32Array): Tensor {
  const numbers = row.slice(held.from, held.from + held.count);
  if (isWhole(held)) return tensor('float32', held.shape, numbers);
  const all = new Float32Array(sizeOf(held.shape));
  samplePositions(all.length, held.count).forEach((at, i) => {
    all[at] = numbers[i];
  });
  return tensor('float32', held.shape, all);
}

function picked(held: HeldGradient, mean: Tensor): Float32Array {
  const all = toFloat32(mean);
  if (isWhole(held)) return all.slice();
  return Float32Array.from(samplePositions(all.length, held.count), (at) => all[at]);
}

/**
 * What this rank gets for the mean of PyTorch's own gradients, as each rank there had them, by `step 1/<param>.grad`:
 * the numbers that the reference holds, in buckets of their real length.
 */
export async function meansOfRank(
  comm: Communicator,
  reference: Reference,
  record: DdpRecord,
): Promise<Map<string, Tensor>> {
  const bucketsAt = bucketsFor(reference.model, 'exact');
  const gradients = heldGradients(reference, record);
  const found = new Map<string, Tensor>();
  for (let step = 1; step <= record.settings.steps; step++) {
    const own = recordedMeans(record, step).own[comm.rank];
    const given = new Map(gradients.map((held) => [held.name, spread(held, own)]));
    const means = await meanOfGradients(comm, given, bucketsAt(step - 1), 'exact');
    for (const held of gradients) {
      const mean = means.get(held.name);
      if (mean === undefined) continue;
      const numbers = picked(held, mean);
      found.set(meanName(step, held.name), tensor('float32', [numbers.length], numbers));
    }
  }
  return found;
}
