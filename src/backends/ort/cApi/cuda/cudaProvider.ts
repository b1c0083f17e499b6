import type { Precision } from '../../precision.ts';
import type { Handle, OrtApi } from '../api.ts';
import type { Provider } from '../providers.ts';

/**
 * What the provider is told, by its own names. The heuristic search takes the same convolution every time, where the
 * exhaustive one takes the one that was faster just then; in one stream nothing is added up in another order.
 */
const optionsFor = (precision: Precision): Readonly<Record<string, string>> => ({
  device_id: '0',
  use_tf32: precision === 'tf32' ? '1' : '0',
  cudnn_conv_algo_search: 'HEURISTIC',
  cudnn_conv_use_max_workspace: '1',
  do_copy_in_default_stream: '1',
  arena_extend_strategy: 'kSameAsRequested',
});

/** `stream`: where all work is done, so that no session overtakes another one or a copy. */
export const cudaProvider = (precision: Precision, stream: bigint): Provider => ({
  name: 'CUDAExecutionProvider',
  choose(api: OrtApi, sessionOptions: Handle) {
    const [provider] = api.make('CreateCUDAProviderOptions');
    try {
      const options = optionsFor(precision);
      api.call(
        'UpdateCUDAProviderOptions',
        ...[provider, Object.keys(options), Object.values(options), Object.keys(options).length],
      );
      api.call('UpdateCUDAProviderOptionsWithValue', provider, 'user_compute_stream', stream);
      api.call('SessionOptionsAppendExecutionProvider_CUDA_V2', sessionOptions, provider);
    } finally {
      api.call('ReleaseCUDAProviderOptions', provider);
    }
  },
});
