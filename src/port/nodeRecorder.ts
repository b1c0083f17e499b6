import { extname } from 'node:path';
import { UsageError } from '../errors.ts';
import { writeNpz } from '../io/numpy/npz.ts';
import { writeReprodLog } from '../io/numpy/reprodLog.ts';
import { writeFileAtomic } from '../io/output/atomicFile.ts';
import { writeSafetensors } from '../io/safetensors/safetensors.ts';
import type { TensorMap } from '../tensor/tensor.ts';
import { Recorder as AnyRecorder } from './recorder.ts';

const writers: Readonly<Record<string, (tensors: TensorMap) => Uint8Array>> = {
  '.safetensors': (tensors) => writeSafetensors(tensors),
  '.npz': (tensors) => writeNpz(tensors),
  '.npy': (tensors) => writeReprodLog(tensors),
};

/** A Recorder that can save what it holds. */
export class Recorder extends AnyRecorder {
  /** Writes a .safetensors, .npz or (as reprod_log) .npy file in one step. Throws UsageError for another ending. */
  async save(path: string): Promise<void> {
    const write = writers[extname(String(path))];
    if (write === undefined) {
      throw new UsageError('has no ending that says what to write', {
        where: String(path),
        fix: `end in ${Object.keys(writers).join(', ')}`,
      });
    }
    writeFileAtomic(path, write(this.tensors));
  }
}
