/**
 * What a program may import from `swa-align`; everything else may change from one version to the next.
 *
 * @module swa-align
 */
export {
  type CompareOptions,
  type Comparison,
  compareRecordings,
} from './align/judge/compareRecordings.ts';
export type { Check, Verdict } from './align/judge/verdict.ts';
export type { CloseTolerance } from './align/measure/allclose.ts';
export { type MeasureName, measureNames } from './align/measure/measures.ts';
export { type ReprodMethod, reprodMethods } from './align/measure/reprodMeasures.ts';
export type { JudgeOptions } from './align/probes/judgeProbes.ts';
export type { Probe, ProbeKind } from './align/reference/probe.ts';
export { InputError, UsageError, UserError } from './errors.ts';
export type { Arrays } from './io/numpy/arrays.ts';
export { readNpyFile, writeNpy } from './io/numpy/npy.ts';
export { readNpzFile, writeNpz } from './io/numpy/npz.ts';
export { writeReprodLog } from './io/numpy/reprodLog.ts';
export { readRecording } from './io/recording.ts';
export { writeSafetensors } from './io/safetensors/safetensors.ts';
export { writeTorchCheckpoint } from './io/torch/torchCheckpointWriter.ts';
export { readWeights } from './io/weights.ts';
export { type HtmlReportOptions, htmlReport } from './port/htmlReport.ts';
export type { Diagnosis, PortJudgeOptions, Recording, Verdicts } from './port/judgePort.ts';
export { judge } from './port/judgeWithCauses.ts';
export { Recorder } from './port/nodeRecorder.ts';
export { openReference } from './port/openReference.ts';
export type { GivenOptions, PortReference, ReferenceProbe } from './port/portReference.ts';
export type { AddOptions } from './port/recorder.ts';
export { fetchReference, referenceFromFiles } from './port/referenceFiles.ts';
export type { TensorLike } from './port/tensorLike.ts';
export type { Shape } from './tensor/shape.ts';
export { type DType, type Tensor, type TensorMap, tensor } from './tensor/tensor.ts';
export { manualSeed, type TorchGenerator } from './torch/generator.ts';
export { randint, randperm } from './torch/integers.ts';
export { normal } from './torch/normal.ts';
export { rand } from './torch/uniform.ts';
export { packageVersion } from './version.ts';
