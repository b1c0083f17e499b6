import { type Command, Option } from 'commander';
import { reductions } from '../../distributed/reduce.ts';
import { models } from '../../nn/models/index.ts';
import { rankSeedings } from '../../train/settings/distribution.ts';
import { recipe } from '../../train/settings/trainingSettings.ts';
import { backendFlags, precisionFlag } from '../arguments/backendFlags.ts';
import {
  fraction,
  naturalNumber,
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  seedList,
  torchSeed,
} from '../arguments/flags.ts';
import { outputDirectory, outputFile } from '../arguments/outputFlags.ts';
import type { RegisterCommand } from '../context.ts';
import type { TrainFlags } from '../train/givenSettings.ts';
import { trainByFlags } from '../train/trainByFlags.ts';

export const train: RegisterCommand = (command, context) => {
  const r = recipe;
  command
    .addOption(
      outputDirectory(
        '--dir <dir>',
        'where checkpoints and train_log.txt go (checkpoints/<name of the run>)',
      ),
    )
    .option(
      '--dataset <name>',
      `cifar10, cifar100 or synthetic, which comes with the package (${r.dataset})`,
    )
    .option('--data-path <dir>', 'directory of the unpacked data set (fetched into the cache)')
    .option('--batch-size <n>', `images a step (${r.batchSize})`, positiveInteger)
    .option(
      '--num-workers <n>',
      `draw as PyTorch does with n workers (${r.numWorkers})`,
      naturalNumber,
    )
    .option(
      '--model <name>',
      `${Object.values(models)
        .map((m) => m.title)
        .join(', ')} (VGG16)`,
    )
    .option('--narrow <n>', 'divide every width of the model by n (1)', positiveInteger)
    .option(
      '--resume [file]',
      'continue from a checkpoint, or from the newest complete one in --dir; auto: start if there is none',
    )
    .option('--epochs <n>', `total epochs (${r.epochs})`, positiveInteger)
    .option('--save-freq <n>', 'epochs between checkpoints', positiveInteger, 25)
    .option('--save-every-steps <n>', 'also write one every n steps', positiveInteger)
    .option('--keep <n>', 'keep only the n newest checkpoints', positiveInteger)
    .option('--eval-freq <n>', `epochs between evaluations (${r.evalFreq})`, positiveInteger)
    .option('--lr-init <lr>', `learning rate of the first half (${r.lrInit})`, positiveNumber)
    .option('--momentum <m>', `SGD momentum (${r.momentum})`, fraction)
    .option('--wd <l>', `weight decay (${r.wd})`, nonNegativeNumber)
    .option('--swa', 'average the weights')
    .option('--no-swa', 'plain SGD (the default)')
    .option(
      '--swa-start <n>',
      `first epoch to be averaged, from 1 (${r.swaStart})`,
      positiveInteger,
    )
    .option('--swa-lr <lr>', `learning rate while averaging (${r.swaLr})`, positiveNumber)
    .option(
      '--swa-c-epochs <n>',
      `epochs between averaged models (${r.swaCEpochs})`,
      positiveInteger,
    )
    .option('--seed <n>', `PyTorch's manual_seed (${r.seed})`, torchSeed)
    .option('--seeds <list>', 'a run from each seed in turn (1,2,3), then mean ± sd', seedList)
    .option('--profile <name>', 'a published recipe by name; the command profiles lists them (swa)')
    .option('--weights <file>', 'start with these weights (.pt, .safetensors, .npz)')
    .option('--steps <n>', 'stop after n steps in total', positiveInteger)
    .addOption(outputFile('--log-steps <file>', 'write step,lr,loss of every step as CSV'))
    .addOption(
      outputDirectory(
        '--report <dir>',
        'directory for the report of a finished run (reports/<name of the run>)',
      ),
    )
    .option('--no-report', 'write no report')
    .option('--distributed', 'train as one of the processes that mpirun started')
    .addOption(
      new Option(
        '--reduce <how>',
        'add gradients as PyTorch on gloo does, or in the order that MPI chooses',
      ).choices(reductions),
    )
    .addOption(
      new Option(
        '--rank-seeds <how>',
        'seed each rank with --seed plus its number, or all the same',
      ).choices(rankSeedings),
    )
    .option('--mpi-library <file>', "the launcher's libmpi.so (found by its name)");
  precisionFlag(backendFlags(command)).action((flags: TrainFlags, command: Command) =>
    trainByFlags(flags, command, context),
  );
};
