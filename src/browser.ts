/**
 * What a program in a browser may import, as `swa-align/browser`: no part of it needs Node.
 *
 * @module swa-align/browser
 */
export { probeKinds } from './align/reference/probe.ts';
export { diagnosedPort as diagnose } from './diagnose/port.ts';
export { InputError, UsageError, UserError } from './errors.ts';
export { htmlReport } from './port/htmlReport.ts';
export { judge } from './port/judgePort.ts';
export { Recorder } from './port/recorder.ts';
export { fetchReference, referenceFromFiles } from './port/referenceFiles.ts';
export { tensor } from './tensor/tensor.ts';
export type * from './types.ts';
