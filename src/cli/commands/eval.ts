import { dirname } from 'node:path';
import { openBackend } from '../../backends/choose.ts';
import { UsageError } from '../../errors.ts';
import { npzChunks } from '../../io/numpy/npz.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { modelName } from '../../nn/models/index.ts';
import { notedDataPath } from '../../train/checkpoint/dataPath.ts';
import { readTrainedModel, weightKindOf } from '../../train/checkpoint/trainedModel.ts';
import { checkClasses, datasetName } from '../../train/dataset.ts';
import { evaluateTrained } from '../../train/evaluation/evaluateTrained.ts';
import { fixedLogits } from '../../train/evaluation/fixedLogits.ts';
import { counted } from '../../words.ts';
import {
  type BackendFlags,
  backendFlags,
  type PrecisionFlag,
  precisionFlag,
} from '../arguments/backendFlags.ts';
import { positiveInteger } from '../arguments/flags.ts';
import { outputFile } from '../arguments/outputFlags.ts';
import type { RegisterCommand } from '../context.ts';
import { openNamedDataset } from '../download.ts';
import { live } from '../terminal/liveLine.ts';

interface EvalFlags extends BackendFlags, PrecisionFlag {
  readonly checkpoint?: string;
  readonly weights?: string;
  readonly model?: string;
  readonly narrow?: number;
  readonly dataset?: string;
  readonly dataPath?: string;
  readonly batchSize?: number;
  readonly logits?: string;
}

/** Throws UsageError unless a model is named once. */
function pathOf(argument: string | undefined, { checkpoint }: EvalFlags): string {
  const path = argument ?? checkpoint;
  if (path !== undefined && (argument === undefined || checkpoint === undefined)) return path;
  throw new UsageError(path === undefined ? 'no model is named' : 'two models are named', {
    fix: 'name one checkpoint, file of weights or exported directory',
  });
}

/**
 * Prints loss and accuracy on the test set: the log's digits, then all of them. With the run's own data,
 * batch size and backend they are the numbers that the run has logged.
 */
export const evaluation: RegisterCommand = (command, context) => {
  const what =
    'a checkpoint of train or of a PyTorch script, weights (PyTorch, safetensors, npz), or a directory of export --format hf';
  command
    .argument('[model]', what)
    .option('--checkpoint <file>', 'the same, as a flag')
    .option('--weights <kind>', 'swa or raw (swa where the checkpoint has it)')
    .option('--model <name>', 'model of a file that holds only weights (VGG16)')
    .option(
      '--narrow <n>',
      'divisor of the widths, for a file that holds only weights (1)',
      positiveInteger,
    )
    .option('--dataset <name>', 'cifar10, cifar100 or synthetic (that of the run)')
    .option('--data-path <dir>', 'directory of the unpacked data set (fetched into the cache)')
    .option('--batch-size <n>', 'images at a time (that of the run)', positiveInteger)
    .addOption(
      outputFile(
        '--logits <file>',
        'also write the logits of the 30 fixed images as .npz, for fixtures/check_in_torch.py',
        '.npz',
      ),
    );
  precisionFlag(backendFlags(command)).action(
    async (argument: string | undefined, flags: EvalFlags) => {
      const path = pathOf(argument, flags);
      const trained = readTrainedModel(path, {
        ...(flags.weights === undefined ? {} : { kind: weightKindOf(flags.weights) }),
        ...(flags.model === undefined ? {} : { model: modelName(flags.model) }),
        ...(flags.narrow === undefined ? {} : { narrow: flags.narrow }),
        ...(flags.dataset === undefined ? {} : { dataset: datasetName(flags.dataset) }),
      });
      const { kind, settings, notes } = trained;
      for (const note of notes) context.print(`${path}: ${note}`);
      const named = flags.dataset === undefined ? settings.dataset : datasetName(flags.dataset);
      checkClasses(settings.dataset, named);
      live.begin(`reading ${named}`);
      const dataPath = flags.dataPath ?? notedDataPath(dirname(path), named);
      const { test } = await openNamedDataset(named, dataPath);
      const backend = await openBackend(flags.backend, flags);
      live.begin(`${test.count} images on ${backend.description}`);
      const found = await evaluateTrained(backend, trained, test, flags.batchSize);
      const { loss, accuracy, predictions } = found;
      if (flags.logits !== undefined) {
        const logits = await fixedLogits(backend, trained.model, trained.weights);
        writeFileAtomic(flags.logits, npzChunks(new Map([['logits', logits]])));
      }
      const percent = accuracy * 100;
      const { description } = backend;
      context.print(
        `${kind} weights, ${counted(test.count, 'test image')} of ${named}, on ${description}`,
      );
      context.print(`loss      ${loss.toFixed(4).padStart(8)}  (${loss})`);
      context.print(`accuracy  ${percent.toFixed(4).padStart(8)}  (${percent} %)`);
      if (new Set(predictions).size === 1) {
        context.print(
          `every image is classified as class ${predictions[0]}: this accuracy means nothing`,
        );
      }
    },
  );
};
