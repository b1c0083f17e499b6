/** What a program may import from `swa-align`; everything else may change from one version to the next. */
export {
  type CompareOptions,
  type Comparison,
  compareRecordings,
} from './align/judge/compareRecordings.ts';
export type { Check, Verdict } from './align/judge/verdict.ts';
export { type ReprodMethod, reprodMethods } from './align/measure/reprodMeasures.ts';
export { InputError, UsageError, UserError } from './errors.ts';
export type { Arrays } from './io/numpy/arrays.ts';
export { readNpyFile, writeNpy } from './io/numpy/npy.ts';
export { readNpzFile, writeNpz } from './io/numpy/npz.ts';
export { writeReprodLog } from './io/numpy/reprodLog.ts';
export { readRecording } from './io/recording.ts';
export { writeSafetensors } from './io/safetensors/safetensors.ts';
export { writeTorchCheckpoint } from './io/torch/torchCheckpointWriter.ts';
export { readWeights } from './io/weights.ts';
export type { Shape } from './tensor/shape.ts';
export { type DType, type Tensor, type TensorMap, tensor } from './tensor/tensor.ts';
export { manualSeed, type TorchGenerator } from './torch/generator.ts';
export { randint, randperm } from './torch/integers.ts';
export { normal } from './torch/normal.ts';
export { rand } from './torch/uniform.ts';
export { packageVersion } from './version.ts';
