import type { Command } from 'commander';
import { type BackendFlags, backendFlags } from '../arguments/backendFlags.ts';
import { nonNegativeNumber, positiveInteger, positiveNumber } from '../arguments/flags.ts';
import { outputDirectory } from '../arguments/outputFlags.ts';

/** What every landscape is asked with. */
export interface LandscapeFlags extends BackendFlags {
  readonly out: string;
  readonly model?: string;
  readonly dataset?: string;
  readonly dataPath?: string;
  readonly samples?: number;
  readonly bnSamples?: number;
  readonly testSamples?: number;
  readonly batchSize?: number;
  readonly l2: number;
}

export const landscapeFlags = (command: Command): Command =>
  backendFlags(
    command
      .addOption(
        outputDirectory(
          '--out <dir>',
          'directory for data, picture and measured points; the same command continues there',
        ).makeOptionMandatory(),
      )
      .option(
        '--model <name>',
        'model of a file that holds only weights (that of the first point, or VGG16)',
      )
      .option('--dataset <name>', 'cifar10, cifar100 or synthetic (that of the run)')
      .option('--data-path <dir>', 'directory of the unpacked data set (fetched into the cache)')
      .option(
        '--samples <n>',
        'training loss on the first n training images (all)',
        positiveInteger,
      )
      .option(
        '--bn-samples <n>',
        'batch-norm statistics from the first n training images (as --samples)',
        positiveInteger,
      )
      .option('--test-samples <n>', 'test error on the first n test images (all)', positiveInteger)
      .option('--batch-size <n>', 'images at a time (that of the run)', positiveInteger)
      .option(
        '--l2 <wd>',
        'draw the training loss plus wd/2 times the squared norm of the weights',
        nonNegativeNumber,
        0,
      ),
  );

/** Of pictures with contour lines. */
export interface ClipFlags {
  readonly clipLoss?: number;
  readonly clipError?: number;
}

export const clipFlags = (command: Command): Command =>
  command
    .option('--clip-loss <x>', 'draw losses above x as x (the loss of guessing)', positiveNumber)
    .option(
      '--clip-error <x>',
      'draw errors above x % as x % (the error of guessing)',
      positiveNumber,
    );
