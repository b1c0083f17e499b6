import type { RegisterCommand } from '../context.ts';

/** A command: its line in the help, and the module that knows its flags, loaded when somebody calls it. */
interface CommandRow {
  readonly description: string;
  readonly load: () => Promise<RegisterCommand>;
}

/** Every command, in the order in which the help lists them. */
export const commands: Readonly<Record<string, CommandRow>> = {
  diff: {
    description: 'compare the model with the recorded PyTorch reference, stage by stage',
    load: async () => (await import('./diff.ts')).diff,
  },
  judge: {
    description: 'compare what your own port computed with what recorder.py recorded',
    load: async () => (await import('./judge.ts')).judge,
  },
  names: {
    description: 'propose which tensor of your port is which probe, as a map for judge',
    load: async () => (await import('./names.ts')).names,
  },
  compare: {
    description: 'compare two recordings key by key, as reprod_log does or by other measures',
    load: async () => (await import('./compare.ts')).compare,
  },
  train: {
    description: 'train by SGD or SWA; flags as in the SWA authors’ train.py',
    load: async () => (await import('./train.ts')).train,
  },
  profiles: {
    description: 'list the recipes that train --profile takes, with what the authors report',
    load: async () => (await import('./profiles.ts')).profileList,
  },
  eval: {
    description: 'loss and accuracy of a checkpoint, or of a file of weights, on the test set',
    load: async () => (await import('./eval.ts')).evaluation,
  },
  export: {
    description: 'export a trained model: an ONNX file, or weights that PyTorch loads',
    load: async () => (await import('./export.ts')).exporting,
  },
  batches: {
    description: 'write the batches of the first training steps, to compare with PyTorch',
    load: async () => (await import('./batches.ts')).batches,
  },
  report: {
    description: 'curves of finished runs in one picture, and a table beside it',
    load: async () => (await import('./report.ts')).report,
  },
  landscape: {
    description: 'loss and error between and around solutions: the paper’s pictures of your runs',
    load: async () => (await import('./landscape.ts')).landscape,
  },
  bench: {
    description: 'time a training step, side by side with PyTorch if requested',
    load: async () => (await import('./bench.ts')).bench,
  },
  recorder: {
    description: 'print recorder.py, which records your PyTorch network as a reference',
    load: async () => (await import('./python.ts')).recorder,
  },
  python: {
    description: 'print the path of a Python program that comes with swa-align, or list them',
    load: async () => (await import('./python.ts')).python,
  },
  setup: {
    description: 'set up an optional backend',
    load: async () => (await import('./setup.ts')).setup,
  },
  devices: {
    description: 'try each device of this machine, and list which run',
    load: async () => (await import('./devices.ts')).devices,
  },
};
