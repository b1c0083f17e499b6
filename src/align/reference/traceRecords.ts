import type { TensorMap } from '../../tensor/tensor.ts';
import { type RecordedTensor, recorded, recordedNames } from './recorded.ts';
import { cancelledScale, type Scale } from './recordedBatch.ts';
import type { Reference } from './reference.ts';

/** What the reference holds of one traced tensor. */
export interface TraceRecord {
  readonly record: RecordedTensor;
  /** For a bias that batch norm cancels. */
  readonly scale?: Scale;
  /**
   * Error PyTorch's float32 layer adds by itself on the truth's inputs. Where it was not recorded, PyTorch's
   * whole error there takes its place.
   */
  readonly added?: number;
}

/** All that the reference holds of the traced step, by the rows' names. */
export function traceRecords(reference: Reference): ReadonlyMap<string, TraceRecord> {
  const { file, settings, noise } = reference.stage('trace');
  const { cancelled } = reference.stage('backward').kinkfree;
  const found = new Map<string, TraceRecord>();
  const add = (arrays: TensorMap, prefix: string): void => {
    for (const name of recordedNames(arrays, prefix)) {
      const record = recorded(arrays, prefix + name);
      if (record === undefined) continue;
      const scale = cancelledScale(cancelled, arrays, prefix, name);
      const added = noise?.added?.[name];
      found.set(name, {
        record,
        ...(scale === undefined ? {} : { scale }),
        ...(added === undefined ? {} : { added }),
      });
    }
  };
  add(reference.arrays(file), '');
  add(reference.arrays(settings.weight_gradients), `iter${settings.iteration}/`);
  found.delete('loss');
  return found;
}
