/**
 * The functions of ONNX Runtime's C API that we call, by name: where each stands in its table, and its parameters. The
 * table only ever grows at its end, so a place holds for every later version.
 * Source: struct OrtApi of include/onnxruntime/core/session/onnxruntime_c_api.h.
 */

/** `status`: gives what went wrong, or nothing; `text`, `none`: gives that. */
export type Gives = 'status' | 'text' | 'none' | 'code';

/** `new`: a pointer that the function writes, the last parameter of those that make something. */
export type Parameter =
  | 'handle'
  | 'text'
  | 'texts'
  | 'int'
  | 'count'
  | 'bytes'
  | 'address'
  | 'shape'
  | 'new'
  | 'newCount';

export interface ApiFunction {
  readonly at: number;
  readonly takes: readonly Parameter[];
  readonly gives: Gives;
}

const row = (at: number, ...takes: readonly Parameter[]): ApiFunction => ({
  at,
  takes,
  gives: 'status',
});
const release = (at: number): ApiFunction => ({ at, takes: ['handle'], gives: 'none' });

export const functions = {
  GetErrorCode: { at: 1, takes: ['handle'], gives: 'code' },
  GetErrorMessage: { at: 2, takes: ['handle'], gives: 'text' },
  ReleaseStatus: release(93),

  CreateEnv: row(3, 'int', 'text', 'new'),
  ReleaseEnv: release(92),

  CreateSessionOptions: row(10, 'new'),
  SetIntraOpNumThreads: row(24, 'handle', 'int'),
  AddSessionConfigEntry: row(130, 'handle', 'text', 'text'),
  ReleaseSessionOptions: release(100),

  CreateSessionFromArray: row(8, 'handle', 'bytes', 'count', 'handle', 'new'),
  ReleaseSession: release(95),
  Session_GetEpGraphAssignmentInfo: row(407, 'handle', 'new', 'newCount'),
  EpAssignedSubgraph_GetEpName: row(408, 'handle', 'new'),
  EpAssignedSubgraph_GetNodes: row(409, 'handle', 'new', 'newCount'),
  EpAssignedNode_GetName: row(410, 'handle', 'new'),
  EpAssignedNode_GetOperatorType: row(412, 'handle', 'new'),

  CreateRunOptions: row(39, 'new'),
  AddRunConfigEntry: row(165, 'handle', 'text', 'text'),
  ReleaseRunOptions: release(97),

  CreateMemoryInfo: row(68, 'text', 'int', 'int', 'int', 'new'),
  ReleaseMemoryInfo: release(94),
  CreateTensorWithDataAsOrtValue: row(
    49,
    'handle',
    'bytes',
    'count',
    'shape',
    'count',
    'int',
    'new',
  ),
  ReleaseValue: release(96),

  CreateIoBinding: row(134, 'handle', 'new'),
  BindInput: row(136, 'handle', 'text', 'handle'),
  BindOutput: row(137, 'handle', 'text', 'handle'),
  RunWithBinding: row(133, 'handle', 'handle', 'handle'),
  ReleaseIoBinding: release(135),

  CreateCUDAProviderOptions: row(205, 'new'),
  UpdateCUDAProviderOptions: row(206, 'handle', 'texts', 'texts', 'count'),
  UpdateCUDAProviderOptionsWithValue: row(263, 'handle', 'text', 'address'),
  SessionOptionsAppendExecutionProvider_CUDA_V2: row(204, 'handle', 'handle'),
  ReleaseCUDAProviderOptions: release(208),
} as const satisfies Record<string, ApiFunction>;

export type FunctionName = keyof typeof functions;
