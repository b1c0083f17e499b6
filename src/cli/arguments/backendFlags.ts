import type { Command } from 'commander';
import { backendHelp, backendName, deviceHelp, deviceName, positiveInteger } from './flags.ts';

/** What runs programs, of which a command has one. */
export interface BackendFlags {
  readonly backend: string;
  readonly device: string;
  readonly grad?: string;
  readonly threads?: number;
}

export const backendFlags = (command: Command): Command =>
  command
    .option('--backend <name>', backendHelp, backendName, 'ort')
    .option('--device <name>', deviceHelp, deviceName, 'auto')
    .option('--grad <rules>', 'tfjs: gradients by its own autodiff, or by our adjoints (ir)')
    .option('--threads <n>', 'threads inside one operator (one a core)', positiveInteger);
