import type { Handle, OrtApi } from './api.ts';
import type { OrtValue } from './memory.ts';
import type { Provider } from './providers.ts';

export interface SessionSettings {
  /** Threads inside one operator; by default one a core. */
  readonly threads: number | undefined;
  readonly provider: Provider;
}

export interface Session {
  /**
   * Runs once on these values, which it reads and writes in place. The event loop stays free meanwhile. Without
   * `waits` a device has only been told what to do.
   */
  run(
    inputs: ReadonlyMap<string, OrtValue>,
    outputs: ReadonlyMap<string, OrtValue>,
    options?: { readonly waits: boolean },
  ): Promise<void>;
  release(): void;
}

/** A node of a graph, and the provider that was given it. */
export interface Placed {
  readonly node: string;
  readonly operator: string;
  readonly provider: string;
}

/** Opens an ONNX model. Throws DeviceError where the library refuses it. */
export async function openSession(
  api: OrtApi,
  environment: Handle,
  model: Uint8Array,
  { threads, provider }: SessionSettings,
): Promise<Session & { readonly placement: readonly Placed[] }> {
  const [options] = api.make('CreateSessionOptions');
  let session: Handle;
  try {
    if (threads !== undefined) api.call('SetIntraOpNumThreads', options, threads);
    api.call('AddSessionConfigEntry', options, 'session.record_ep_graph_assignment_info', '1');
    // Threads that wait for work busily take cores from ranks, other sessions and our own thread; a step gains nothing by it.
    api.call('AddSessionConfigEntry', options, 'session.intra_op.allow_spinning', '0');
    provider.choose(api, options);
    [session] = await api.makeAside(
      'CreateSessionFromArray',
      ...[environment, model, model.length, options],
    );
  } finally {
    api.call('ReleaseSessionOptions', options);
  }
  let unawaited: Handle = null;
  const release = (): void => {
    api.call('ReleaseRunOptions', unawaited);
    api.call('ReleaseSession', session);
  };
  let placement: readonly Placed[];
  try {
    placement = placementIn(api, session);
    [unawaited] = api.make('CreateRunOptions');
    api.call('AddRunConfigEntry', unawaited, 'disable_synchronize_execution_providers', '1');
  } catch (error) {
    release();
    throw error;
  }
  return {
    placement,
    async run(inputs, outputs, { waits } = { waits: true }) {
      const [binding] = api.make('CreateIoBinding', session);
      try {
        for (const [name, { handle }] of inputs) api.call('BindInput', binding, name, handle);
        for (const [name, { handle }] of outputs) api.call('BindOutput', binding, name, handle);
        await api.callAside('RunWithBinding', session, waits ? null : unawaited, binding);
      } finally {
        api.call('ReleaseIoBinding', binding);
      }
    },
    release,
  };
}

/** Which provider was given which node, after the library's own changes to the graph. */
function placementIn(api: OrtApi, session: Handle): Placed[] {
  const textOf = (name: Parameters<OrtApi['make']>[0], handle: Handle): string =>
    api.readText(api.make(name, handle)[0]);
  const listOf = (name: Parameters<OrtApi['make']>[0], handle: Handle): readonly Handle[] => {
    const [at, count] = api.make(name, handle);
    return Number(count) === 0 ? [] : api.readHandles(at, Number(count));
  };
  return listOf('Session_GetEpGraphAssignmentInfo', session).flatMap((part) => {
    const provider = textOf('EpAssignedSubgraph_GetEpName', part);
    return listOf('EpAssignedSubgraph_GetNodes', part).map((node) => ({
      node: textOf('EpAssignedNode_GetName', node),
      operator: textOf('EpAssignedNode_GetOperatorType', node),
      provider,
    }));
  });
}
