/**
 * What a program may import from `swa-align`; everything else may change from one version to the next.
 *
 * @module swa-align
 */

/* Judging a port. Its types are in types.ts, and those of verdicts and tensors. */

export { probeKinds } from './align/reference/probe.ts';
export { InputError, UsageError, UserError } from './errors.ts';
export { htmlReport } from './port/htmlReport.ts';
export { judge } from './port/judgeWithCauses.ts';
export { Recorder } from './port/nodeRecorder.ts';
export { openReference } from './port/openReference.ts';
export { fetchReference, referenceFromFiles } from './port/referenceFiles.ts';
export { tensor } from './tensor/tensor.ts';
export type * from './types.ts';
export { packageVersion } from './version.ts';

/* Comparing two recordings. */

export {
  type CompareOptions,
  type Comparison,
  compareRecordings,
} from './align/judge/compareRecordings.ts';
export type { CloseTolerance } from './align/measure/allclose.ts';
export { type MeasureName, measureNames } from './align/measure/measures.ts';
export { type ReprodMethod, reprodMethods } from './align/measure/reprodMeasures.ts';

/* Files. */

export type { Arrays, UnreadArray } from './io/numpy/arrays.ts';
export { readNpyFile, writeNpy } from './io/numpy/npy.ts';
export { type NpzOptions, readNpzFile, writeNpz } from './io/numpy/npz.ts';
export { writeReprodLog } from './io/numpy/reprodLog.ts';
export { type RecordingOptions, readRecording } from './io/recording.ts';
export { writeSafetensors } from './io/safetensors/safetensors.ts';
export { writeTorchCheckpoint } from './io/torch/torchCheckpointWriter.ts';
export { type WeightKind, weightKinds } from './io/torch/weightSets.ts';
export { readWeights, type Weights, type WeightsOptions } from './io/weights.ts';

/* PyTorch's random draws. */

export { manualSeed, type TorchGenerator } from './torch/generator.ts';
export { randint, randperm } from './torch/integers.ts';
export { normal } from './torch/normal.ts';
export { rand } from './torch/uniform.ts';
