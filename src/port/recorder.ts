import { inPass } from '../align/reference/probe.ts';
import type { ProbeReference } from '../align/reference/probeReference.ts';
import { UsageError } from '../errors.ts';
import { printable } from '../io/names.ts';
import { writeSafetensors } from '../io/safetensors/safetensors.ts';
import type { Tensor, TensorMap } from '../tensor/tensor.ts';
import { toPyTorch } from './layout.ts';
import { type TensorLike, tensorOf, tensorOfAsync } from './tensorLike.ts';

export interface AddOptions {
  /** Order of the tensor's axes where it is not PyTorch's: `NHWC`, `HWIO`, `in,out`, `NLC->NCL`. */
  readonly layout?: string;
  /** Which pass of the reference it belongs to; the first, 0, where it is not said. */
  readonly pass?: number;
}

/**
 * Keeps what a port computes, under the names of the reference's probes. Values are copied at once. With a reference
 * it refuses names that are no probes, and knows PyTorch's order of axes where the reference says it.
 */
export class Recorder {
  readonly #tensors = new Map<string, Tensor>();
  readonly #reference: ProbeReference | undefined;

  constructor(reference?: ProbeReference) {
    this.#reference = reference;
  }

  /** In the order in which they were added. */
  get tensors(): TensorMap {
    return this.#tensors;
  }

  /** Throws UsageError for a name that is taken or is no probe, for what is not a tensor, and for a layout that does not fit. */
  add(name: string, value: TensorLike, options: AddOptions = {}): this {
    const full = this.#free(name, options);
    this.#tensors.set(full, this.#laidOut(full, tensorOf(value, printable(full)), options));
    return this;
  }

  /** The same, of a tensor that lies on a device (TensorFlow.js on WebGPU, onnxruntime's GPU buffers). */
  async addAsync(name: string, value: TensorLike, options: AddOptions = {}): Promise<this> {
    const full = this.#free(name, options);
    const found = await tensorOfAsync(value, printable(full));
    this.#tensors.set(full, this.#laidOut(full, found, options));
    return this;
  }

  /** Everything as the bytes of a .safetensors file. */
  toSafetensors(): Uint8Array<ArrayBuffer> {
    return writeSafetensors(this.#tensors);
  }

  #free(name: string, { pass = 0 }: AddOptions): string {
    if (typeof name !== 'string' || name === '') {
      throw new UsageError(`${printable(String(name))} is not a name`, { fix: 'name the probe' });
    }
    if (!Number.isSafeInteger(pass) || pass < 0) {
      throw new UsageError(`there is no pass ${pass}`, {
        where: printable(name),
        fix: 'count passes from 0',
      });
    }
    const full = inPass(pass, name);
    if (this.#tensors.has(full)) {
      throw new UsageError('was recorded already', {
        where: printable(full),
        fix: 'record a tensor once a pass; name a later one’s { pass: 1 }',
      });
    }
    this.#reference?.probe(full);
    return full;
  }

  #laidOut(name: string, found: Tensor, { layout }: AddOptions): Tensor {
    return layout === undefined
      ? found
      : toPyTorch(found, layout, this.#reference?.probe(name).axes);
  }
}
