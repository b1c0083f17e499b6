/**
 * What a program in a browser may import, as `swa-align/browser`: no part of it needs Node.
 *
 * @module swa-align/browser
 */
export type { Check, Verdict } from './align/judge/verdict.ts';
export type { JudgeOptions } from './align/probes/judgeProbes.ts';
export type { Probe, ProbeKind } from './align/reference/probe.ts';
export { diagnosedPort as diagnose } from './diagnose/port.ts';
export { InputError, UsageError, UserError } from './errors.ts';
export { type HtmlReportOptions, htmlReport } from './port/htmlReport.ts';
export {
  type Diagnosis,
  judge,
  type PortJudgeOptions,
  type Recording,
  type Verdicts,
} from './port/judgePort.ts';
export type { GivenOptions, PortReference, ReferenceProbe } from './port/portReference.ts';
export { type AddOptions, Recorder } from './port/recorder.ts';
export { fetchReference, referenceFromFiles } from './port/referenceFiles.ts';
export type { TensorLike } from './port/tensorLike.ts';
export type { Shape } from './tensor/shape.ts';
export { type DType, type Tensor, type TensorMap, tensor } from './tensor/tensor.ts';
