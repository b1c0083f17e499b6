import { buildBinding } from '../../backends/tfjs/tensorflow/buildBinding.ts';
import { prepareSetUp, type SetUpOptions } from '../../backends/tfjs/tensorflow/setUp.ts';
import type { RegisterCommand } from '../context.ts';

/** What needs more than `npm install`. */
export const setup: RegisterCommand = (command, context) => {
  command
    .command('tensorflow')
    .description('build TensorFlow.js’s binding against a TensorFlow on this machine')
    .option('--gpu', 'for a GPU: tfjs-node-gpu, and a TensorFlow with CUDA')
    .option('--libtensorflow <dir>', 'TensorFlow’s Python package or an unpacked libtensorflow')
    .option('--python <path>', 'the Python that has TensorFlow (python3)')
    .action((options: SetUpOptions) => {
      const { target, tensorFlow, toolchain } = prepareSetUp(options);
      const { directory } = tensorFlow;
      context.print(`building ${target.name} against the TensorFlow in ${directory} …`);
      const version = buildBinding(target, tensorFlow, toolchain);
      context.print(
        `built for TensorFlow ${version}; use it with --backend tfjs --device tensorflow`,
      );
    });
};
