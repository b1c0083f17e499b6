/*
 * The types that the functions of both `swa-align` and `swa-align/browser` take and give, and those that these are made
 * of: a reader of the reference finds each, and a program can name it.
 */

/* A reference, and what a port records. */

export type {
  Probe,
  ProbeKind,
  ProbeManifest,
  RecordedOptimizer,
  RecordedPass,
} from './align/reference/probe.ts';
export type { ProbeReference } from './align/reference/probeReference.ts';
export type { RecordedTensor } from './align/reference/recorded.ts';
export type { Moments } from './align/reference/samplePositions.ts';
export type { GivenOptions, PortReference, ReferenceProbe } from './port/portReference.ts';
export type { AddOptions } from './port/recorder.ts';

/* Judging. */

export type { NameChoice } from './align/judge/chosen.ts';
export type { JudgeOptions, ProbesJudged } from './align/probes/judgeProbes.ts';
export type { Precision, RuleOptions } from './align/probes/rule.ts';
export type { ErrorDetail } from './errors.ts';
export type { HtmlReportOptions } from './port/htmlReport.ts';
export type { Diagnosis, PortJudgeOptions, Recording, Verdicts } from './port/judgePort.ts';

/* Verdicts. */

export type { Sides } from './align/judge/incomparable.ts';
export type {
  Cause,
  Check,
  CheckMethod,
  Flip,
  Verdict,
  WorstElement,
} from './align/judge/verdict.ts';
export type { Distances } from './align/measure/distance.ts';

/* Tensors. */

export type {
  ElementArray,
  ElementValue,
  NestedElements,
  OrtTensor,
  PlainTensor,
  TensorLike,
  TfjsTensor,
} from './port/tensorLike.ts';
export type { Shape } from './tensor/shape.ts';
export type { DataOf, DType, Tensor, TensorMap } from './tensor/tensor.ts';
