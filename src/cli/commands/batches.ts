import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { modelName } from '../../nn/models/index.ts';
import type { Seed } from '../../torch/seed.ts';
import { buildModel } from '../../train/checkpoint/trainedModel.ts';
import { datasetName } from '../../train/dataset.ts';
import { firstBatches, npzOf } from '../../train/loop/firstBatches.ts';
import { recipe, settingsFrom } from '../../train/settings/trainingSettings.ts';
import { counted } from '../../words.ts';
import { naturalNumber, positiveInteger, torchSeed } from '../arguments/flags.ts';
import { named, outputFile } from '../arguments/outputFlags.ts';
import type { RegisterCommand } from '../context.ts';
import { openNamedDataset } from '../download.ts';

interface BatchesFlags {
  readonly seed: Seed;
  readonly batchSize: number;
  readonly count: number;
  readonly numWorkers: number;
  readonly evalFreq: number;
  readonly model: string;
  readonly dataset: string;
  readonly dataPath?: string;
  readonly swa: boolean;
  readonly weights?: boolean;
  readonly out: string;
}

/**
 * Writes what the first training steps would see. Everything is drawn as the SWA authors' train.py --swa
 * draws it with its defaults: a second model after the first, and one pass of the test loader after the
 * first and every fifth epoch (after epoch 161 a second one, of the average).
 */
export const batches: RegisterCommand = (command, context) => {
  command
    .option('--seed <n>', "PyTorch's manual_seed", torchSeed, recipe.seed)
    .option('--batch-size <n>', 'images a step', positiveInteger, recipe.batchSize)
    .option('--count <n>', 'how many steps', positiveInteger, 1)
    .option(
      '--num-workers <n>',
      'draw as PyTorch does with n workers',
      naturalNumber,
      recipe.numWorkers,
    )
    .option('--eval-freq <n>', 'epochs between evaluations', positiveInteger, recipe.evalFreq)
    .option('--model <name>', 'model whose weights and masks are drawn', 'VGG16')
    .option('--dataset <name>', 'cifar10, cifar100 or synthetic', recipe.dataset)
    .option('--data-path <dir>', 'directory of the unpacked data set (fetched into the cache)')
    .option('--no-swa', 'as without --swa: no second model is drawn')
    .option('--weights', 'also write the initial weights')
    .addOption(outputFile('--out <file>', 'the .npz to write', '.npz').makeOptionMandatory())
    .action(async (flags: BatchesFlags) => {
      const { seed, batchSize, numWorkers, evalFreq, swa, count, out } = flags;
      const settings = settingsFrom({
        seed,
        batchSize,
        numWorkers,
        evalFreq,
        swa,
        model: modelName(flags.model),
        dataset: datasetName(flags.dataset),
      });
      const dataset = await openNamedDataset(settings.dataset, flags.dataPath);
      const model = buildModel(settings);
      const { weights, arrays } = firstBatches(settings, model, dataset, count);
      function* contents() {
        if (flags.weights === true) yield* weights;
        yield* arrays;
      }
      writeFileAtomic(out, npzOf(contents()));
      context.print(`${counted(count, 'step')} of ${counted(batchSize, 'image')} in ${named(out)}`);
    });
};
