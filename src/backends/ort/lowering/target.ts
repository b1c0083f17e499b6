import type { IntType } from '../onnx/onnxGraph.ts';
import { type Lowerings, lowerings } from './lowering.ts';
import { cudaLowerings } from './loweringCuda.ts';
import { webgpuLowerings } from './loweringWebgpu.ts';

/** How programs are written down for one of ONNX Runtime's execution providers. */
export interface Target {
  readonly lowerings: Lowerings;
  readonly int: IntType;
}

/** Every provider that programs are lowered for. */
export const targets = {
  cpu: { lowerings, int: 'int64' },
  cuda: { lowerings: cudaLowerings, int: 'int64' },
  // WGSL has no 64-bit integers: the provider hands int64 tensors to the CPU
  webgpu: { lowerings: webgpuLowerings, int: 'int32' },
} as const satisfies Record<string, Target>;
