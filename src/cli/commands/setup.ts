import {
  installProvider,
  missingCuda,
  prepareCudaSetUp,
} from '../../backends/ort/cApi/cuda/setUp.ts';
import { buildBinding } from '../../backends/tfjs/tensorflow/buildBinding.ts';
import { prepareSetUp, type SetUpOptions } from '../../backends/tfjs/tensorflow/setUp.ts';
import { DeviceError } from '../../errors.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import { onInterrupt } from '../terminal/interrupt.ts';

function setUpTensorFlow(options: SetUpOptions, context: CliContext): void {
  const { target, tensorFlow, toolchain } = prepareSetUp(options);
  const { directory } = tensorFlow;
  context.print(`building ${target.name} against the TensorFlow in ${directory} …`);
  const version = buildBinding(target, tensorFlow, toolchain);
  context.print(`built for TensorFlow ${version}; use it with --backend tfjs --device tensorflow`);
}

/** Library and provider from npm, one after the other. */
const downloadMb = 290;

/** What is missing of CUDA is told at the end, for only the provider says what it needs. */
async function setUpCuda(context: CliContext): Promise<void> {
  const { search, folder, found } = await prepareCudaSetUp();
  let provider = found;
  if (provider === undefined) {
    context.print(`fetching ONNX Runtime’s CUDA provider by npm, ${downloadMb} MB …`);
    const stop = new AbortController();
    const because = { what: 'setup interrupted', fix: 'nothing was changed' };
    const release = onInterrupt({ stop, because });
    try {
      const onWait = () => context.print('another process is at it; waiting …');
      provider = await installProvider(folder, { signal: stop.signal, onWait });
    } finally {
      release();
    }
  }
  context.print(`ONNX Runtime ${provider.version} with CUDA lies in ${provider.folder}`);
  const missing = await missingCuda(provider, search);
  if (missing === undefined) {
    context.print('CUDA and cuDNN are here; use it with --device cuda');
    return;
  }
  const { names, fix } = missing;
  throw new DeviceError(`of CUDA and cuDNN it needs what is not here: ${names.join(', ')}`, {
    fix,
  });
}

/** What needs more than `npm install`. */
export const setup: RegisterCommand = (command, context) => {
  command
    .command('tensorflow')
    .description('build TensorFlow.js’s binding against a TensorFlow on this machine')
    .option('--gpu', 'for a GPU: tfjs-node-gpu, and a TensorFlow with CUDA')
    .option('--libtensorflow <dir>', 'TensorFlow’s Python package or an unpacked libtensorflow')
    .option('--python <path>', 'the Python that has TensorFlow (python3)')
    .action((options: SetUpOptions) => setUpTensorFlow(options, context));
  command
    .command('cuda')
    .description('fetch ONNX Runtime’s CUDA provider, and say what is missing of CUDA')
    .action(() => setUpCuda(context));
};
