import { type Command, Option } from 'commander';
import { type Precision, precisions } from '../../backends/ort/precision.ts';
import { backendHelp, backendName, deviceHelp, deviceName, positiveInteger } from './flags.ts';

/** What runs programs, of which a command has one. */
export interface BackendFlags {
  readonly backend: string;
  readonly device: string;
  readonly grad?: string;
  readonly threads?: number;
  readonly ortLibrary?: string;
}

/** How a GPU is to compute. */
export interface PrecisionFlag {
  readonly precision?: Precision;
}

export const precisionFlag = (command: Command): Command =>
  command.addOption(
    new Option('--precision <how>', 'precision of CUDA’s products (fp32)').choices(precisions),
  );

export const backendFlags = (command: Command): Command =>
  command
    .option('--backend <name>', backendHelp, backendName, 'ort')
    .option('--device <name>', deviceHelp, deviceName, 'auto')
    .option('--grad <rules>', 'tfjs: gradients by its own autodiff, or by our adjoints (ir)')
    .option('--threads <n>', 'threads inside one operator (one a core)', positiveInteger)
    .option('--ort-library <dir>', 'directory of ONNX Runtime’s CUDA provider (searched for)');
