import type { Shape } from '../../../tensor/shape.ts';
import type { Tensor, TensorMap } from '../../../tensor/tensor.ts';
import type { Backend } from '../../backend.ts';
import type { BackendOptions } from '../../registry.ts';
import type { Quiet } from '../thread/quiet.ts';
import type { SentError } from './errorCrossing.ts';
import type { FlatProgram } from './flatProgram.ts';

/** A device tensor over there goes by a number. */
export interface Held {
  readonly name: string;
  readonly id: number;
}

export interface HeldShape extends Held {
  readonly shape: Shape;
}

/** What the main thread can ask for, and what it gets. */
export interface Calls {
  describe: {
    ask: undefined;
    answer: Pick<Backend, 'name' | 'device' | 'precision' | 'description'> & {
      /** Whether it has memory for both sides. */
      readonly rooms: boolean;
    };
  };
  compile: {
    ask: { readonly program: FlatProgram; readonly fetches: readonly string[] };
    answer: {
      readonly executable: number;
      /** Whether it knows `start`. */
      readonly starts: boolean;
    };
  };
  run: {
    ask: {
      readonly executable: number;
      readonly state: readonly Held[];
      readonly inputs: TensorMap;
      readonly into?: TensorMap;
    };
    answer: { readonly fetched: TensorMap; readonly replaced: readonly HeldShape[] };
  };
  /** As `run`, with the fetches left over there. */
  start: {
    ask: Calls['run']['ask'];
    answer: { readonly fetched: readonly HeldShape[]; readonly replaced: readonly HeldShape[] };
  };
  dispose: { ask: number; answer: undefined };
  upload: { ask: TensorMap; answer: readonly HeldShape[] };
  download: { ask: readonly Held[]; answer: Map<string, Tensor> };
  room: { ask: number; answer: Float32Array | undefined };
  free: { ask: readonly Held[]; answer: undefined };
}

export type CallName = keyof Calls;

export type Request = {
  [K in CallName]: { readonly id: number; readonly call: K; readonly ask: Calls[K]['ask'] };
}[CallName];

/** Answers come in the order of the requests. */
export type Reply =
  | { readonly id: number; readonly answer: Calls[CallName]['answer'] }
  | { readonly id: number; readonly error: SentError };

/** Which backend a thread or process is started for. */
export interface BackendCall {
  readonly name: string;
  readonly options: BackendOptions;
}

/** What a thread is started with. */
export interface ThreadData extends BackendCall {
  readonly quiet: Quiet;
}
