import { extname } from 'node:path';
import { inferenceModel } from '../../backends/ort/inference/inferenceModel.ts';
import { UsageError } from '../../errors.ts';
import { npzChunks } from '../../io/numpy/npz.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { safetensorsChunks } from '../../io/safetensors/safetensors.ts';
import { torchCheckpointChunks } from '../../io/torch/torchCheckpointWriter.ts';
import { modelName, models, modelTitle } from '../../nn/models/index.ts';
import {
  readTrainedModel,
  type TrainedModel,
  weightKindOf,
} from '../../train/checkpoint/trainedModel.ts';
import { classCount, datasetName } from '../../train/dataset.ts';
import { asFloat32, stateDict } from '../../train/stateDict.ts';
import { positiveInteger } from '../arguments/flags.ts';
import { named, outputFile } from '../arguments/outputFlags.ts';
import type { RegisterCommand } from '../context.ts';

interface ExportFlags {
  readonly checkpoint: string;
  readonly out: string;
  readonly format?: string;
  readonly weights?: string;
  readonly model?: string;
  readonly narrow?: number;
  readonly dataset?: string;
  readonly foldBn?: boolean;
}

/** What a file holds by its name; PyTorch counts no batches for weights that nobody trains further. */
const dict = ({ model, weights }: TrainedModel) => asFloat32(stateDict(model, weights, 0));

function onnx({ model, weights, settings }: TrainedModel, foldBatchNorm: boolean): Uint8Array {
  const { title, preparation } = models[settings.model];
  const { mean, std } = preparation.normalisation;
  return inferenceModel(model, weights, {
    foldBatchNorm,
    metadata: {
      model: title,
      classes: String(classCount(settings.dataset)),
      mean: mean.join(', '),
      std: std.join(', '),
    },
  });
}

type Contents = Uint8Array | Iterable<Uint8Array>;

const formats = {
  onnx,
  safetensors: (of) => safetensorsChunks(dict(of), { format: 'pt' }),
  npz: (of) => npzChunks(dict(of)),
  pt: (of) => torchCheckpointChunks(dict(of)),
} as const satisfies Record<string, (of: TrainedModel, foldBatchNorm: boolean) => Contents>;

type Format = keyof typeof formats;

/** Other endings of the same. */
const endings: { readonly [ending: string]: Format } = { pth: 'pt' };

function formatOf({ format, out, foldBn }: ExportFlags): Format {
  const ending = extname(out).slice(1).toLowerCase();
  const wanted = format ?? endings[ending] ?? ending;
  if (!Object.hasOwn(formats, wanted)) {
    const of = format === undefined ? { where: named(out) } : {};
    throw new UsageError(
      wanted === '' ? 'its name tells no format' : `there is no format "${wanted}"`,
      {
        ...of,
        fix: `give --format ${Object.keys(formats).join(', ')}, or a file that ends so`,
      },
    );
  }
  if (foldBn === true && wanted !== 'onnx') {
    throw new UsageError('--fold-bn is for ONNX: a state_dict keeps its batch norms', {
      fix: 'leave it out, or export to .onnx',
    });
  }
  return wanted as Format;
}

/** Writes the weights of a checkpoint, or of a file of weights, for inference elsewhere. */
export const exporting: RegisterCommand = (command, context) => {
  command
    .requiredOption(
      '--checkpoint <file>',
      'a checkpoint of train or of a PyTorch script, or weights (PyTorch, safetensors, npz)',
    )
    .addOption(outputFile('--out <file>', 'the file to write').makeOptionMandatory())
    .option('--format <name>', `${Object.keys(formats).join(', ')} (as the file is named)`)
    .option('--weights <kind>', 'swa or raw (swa where the checkpoint has it)')
    .option('--model <name>', 'the model of bare weights (VGG16)')
    .option(
      '--narrow <n>',
      'by how much the widths of bare weights are divided (1)',
      positiveInteger,
    )
    .option('--dataset <name>', 'what bare weights were trained on (cifar10)')
    .option('--fold-bn', 'ONNX: take batch norms into the convolutions before them')
    .action((flags: ExportFlags) => {
      const format = formatOf(flags);
      const trained = readTrainedModel(flags.checkpoint, {
        ...(flags.weights === undefined ? {} : { kind: weightKindOf(flags.weights) }),
        ...(flags.model === undefined ? {} : { model: modelName(flags.model) }),
        ...(flags.narrow === undefined ? {} : { narrow: flags.narrow }),
        ...(flags.dataset === undefined ? {} : { dataset: datasetName(flags.dataset) }),
      });
      for (const note of trained.notes) context.print(`${flags.checkpoint}: ${note}`);
      writeFileAtomic(flags.out, formats[format](trained, flags.foldBn === true));
      context.print(
        `${modelTitle(trained.settings)}, ${trained.kind} weights, as ${format} in ${named(flags.out)}`,
      );
    });
};
