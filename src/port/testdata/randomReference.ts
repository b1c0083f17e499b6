import type { Probe } from '../../align/reference/probe.ts';
import { parseProbeManifest, probeReference } from '../../align/reference/probeReference.ts';
import { gather, momentsOf, samplePositions } from '../../align/reference/samplePositions.ts';
import {
  type ByteSource,
  openSafetensors,
  sourceOf,
  writeSafetensors,
} from '../../io/safetensors/safetensors.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { type PortReference, portReference } from '../portReference.ts';

/** A probe and, where they are not drawn at random, its numbers: float64 is the truth, all else is exact. */
export type Given = Partial<Probe> & {
  readonly name: string;
  readonly values?: Tensor;
  /** What PyTorch made of it, where that is not its rounding to float32. */
  readonly pytorch?: Tensor;
  /** Of a large tensor only so many elements are held, and the moments of the whole. */
  readonly sample?: number;
};

/** Numbers between -1 and 1, the same of a seed. */
export function randomNumbers(size: number, seed: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/**
 * A reference in memory, by way of the bytes of its file: of each probe random float64 numbers as the truth, and
 * their rounding to float32 as what PyTorch computed. `watched` may count what is read of it.
 */
export function randomReference(
  given: readonly Given[],
  watched = (source: ByteSource): ByteSource => source,
): PortReference {
  const arrays = new Map<string, Tensor>();
  const probes = given.map(({ values, pytorch, sample, ...probe }, i) => {
    const shape = values?.shape ?? probe.shape ?? [100];
    const truth = values ?? tensor('float64', shape, randomNumbers(sizeOf(shape), i + 1));
    const floats = truth.dtype === 'float64';
    const rounded = floats && Float32Array.from((pytorch ?? truth).data as Float64Array);
    const single = rounded ? tensor('float32', shape, rounded) : truth;
    if (sample !== undefined) {
      const at = samplePositions(sizeOf(shape), sample);
      const { sum, sumOfSquares, min, max } = momentsOf(truth);
      arrays.set(`f32/${probe.name}#sample`, gather(single, at));
      arrays.set(`f64/${probe.name}#sample`, gather(truth, at));
      const stats = Float64Array.of(sum, sumOfSquares, min, max);
      arrays.set(`f64/${probe.name}#stats`, tensor('float64', [4], stats));
      return { kind: 'output', pass: 0, shape, dtype: single.dtype, ...probe };
    }
    arrays.set(`f32/${probe.name}`, single);
    if (floats && probe.kind !== 'input') arrays.set(`f64/${probe.name}`, truth);
    return { kind: 'output', pass: 0, shape, dtype: single.dtype, ...probe };
  });
  const manifest = {
    format: 'swa-align-reference/2',
    model: 'Random',
    torch: { version: '2.13.0' },
    tensors: { file: 'tensors.safetensors', sha256: '' },
    passes: [{ kind: 'step' }],
    probes,
  };
  const parsed = parseProbeManifest(JSON.stringify(manifest), 'ref/manifest.json');
  const tensors = openSafetensors(watched(sourceOf(writeSafetensors(arrays))), 'ref');
  return portReference(probeReference(parsed, tensors, 'ref'));
}
