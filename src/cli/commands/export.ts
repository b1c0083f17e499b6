import { basename, extname, resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import { npzChunks } from '../../io/numpy/npz.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { writeDirectoryAtomic } from '../../io/output/directory.ts';
import { safetensorsChunks } from '../../io/safetensors/safetensors.ts';
import { torchCheckpointChunks } from '../../io/torch/torchCheckpointWriter.ts';
import { modelName, modelTitle } from '../../nn/models/index.ts';
import {
  readTrainedModel,
  type TrainedModel,
  weightKindOf,
} from '../../train/checkpoint/trainedModel.ts';
import { datasetName } from '../../train/dataset.ts';
import { asFloat32, stateDict } from '../../train/stateDict.ts';
import { positiveInteger } from '../arguments/flags.ts';
import { named, outputFile } from '../arguments/outputFlags.ts';
import type { RegisterCommand } from '../context.ts';
import { hubFiles } from '../exporting/hubFiles.ts';
import { onnxOf } from '../exporting/onnxOf.ts';
import { readRunReport } from '../train/runReportFiles.ts';

interface ExportFlags {
  readonly checkpoint: string;
  readonly out?: string;
  readonly format?: string;
  readonly weights?: string;
  readonly model?: string;
  readonly narrow?: number;
  readonly dataset?: string;
  readonly foldBn?: boolean;
  readonly run?: string;
  readonly dataNote?: string;
}

/** What a file holds by its name; PyTorch counts no batches for weights that nobody trains further. */
const dict = ({ model, weights }: TrainedModel) => asFloat32(stateDict(model, weights, 0));

type Contents = Uint8Array | Iterable<Uint8Array>;

const formats = {
  onnx: onnxOf,
  safetensors: (of) => safetensorsChunks(dict(of), { format: 'pt' }),
  npz: (of) => npzChunks(dict(of)),
  pt: (of) => torchCheckpointChunks(dict(of)),
} as const satisfies Record<string, (of: TrainedModel, foldBatchNorm: boolean) => Contents>;

type Format = keyof typeof formats;

/** A directory, and no single file. */
const hub = 'hf';

/** Other endings of the same. */
const endings: { readonly [ending: string]: Format } = { pth: 'pt' };

function formatOf({ format, foldBn }: ExportFlags, out: string): Format {
  const ending = extname(out).slice(1).toLowerCase();
  const wanted = format ?? endings[ending] ?? ending;
  if (!Object.hasOwn(formats, wanted)) {
    const of = format === undefined ? { where: named(out) } : {};
    throw new UsageError(
      wanted === '' ? 'its name does not say the format' : `there is no format "${wanted}"`,
      {
        ...of,
        fix: `give --format ${Object.keys(formats).join(', ')}, or a file that ends so; ${hub} writes a directory`,
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

/** Throws UsageError for flags of a directory that a file has no use for, and the other way round. */
function checkPlace(directory: string | undefined, flags: ExportFlags): void {
  const { format, out, foldBn, run, dataNote } = flags;
  if (format === hub) {
    const fix = `write --format ${hub} DIR, without --out and --fold-bn`;
    if (directory === undefined || out !== undefined || foldBn === true) {
      throw new UsageError(`--format ${hub} writes a directory, of weights as they are`, { fix });
    }
    return;
  }
  if (directory !== undefined || run !== undefined || dataNote !== undefined) {
    throw new UsageError(`a directory, --run and --data-note are for --format ${hub}`, {
      fix: `add --format ${hub}, or leave them out`,
    });
  }
}

/** Throws UsageError where there is none. */
function fileOf({ out }: ExportFlags): string {
  if (out !== undefined) return out;
  throw new UsageError('nothing says where to write', {
    fix: `give --out FILE, or --format ${hub} DIR`,
  });
}

/** Writes the weights of a checkpoint, or of a file of weights, for inference elsewhere. */
export const exporting: RegisterCommand = (command, context) => {
  command
    .argument(
      '[directory]',
      `--format ${hub}: the directory to write, in the form of Hugging Face's Hub`,
    )
    .requiredOption(
      '--checkpoint <file>',
      'a checkpoint of train or of a PyTorch script, or weights (PyTorch, safetensors, npz)',
    )
    .addOption(outputFile('--out <file>', 'the file to write'))
    .option('--format <name>', `${[...Object.keys(formats), hub].join(', ')} (by the file’s name)`)
    .option('--weights <kind>', 'swa or raw (swa where the checkpoint has it)')
    .option('--model <name>', 'model of a file that holds only weights (VGG16)')
    .option(
      '--narrow <n>',
      'divisor of the widths, for a file that holds only weights (1)',
      positiveInteger,
    )
    .option('--dataset <name>', 'training set, for a file that holds only weights (cifar10)')
    .option('--fold-bn', 'ONNX: fold batch norms into the convolutions before them')
    .option(
      '--run <dir>',
      `${hub}: the report of its run; the model card then has versions and numbers of images`,
    )
    .option('--data-note <text>', `${hub}: describes the images it was trained and tested on`)
    .action((directory: string | undefined, flags: ExportFlags) => {
      checkPlace(directory, flags);
      const file = directory === undefined ? fileOf(flags) : undefined;
      const format = file === undefined ? undefined : formatOf(flags, file);
      const trained = readTrainedModel(flags.checkpoint, {
        ...(flags.weights === undefined ? {} : { kind: weightKindOf(flags.weights) }),
        ...(flags.model === undefined ? {} : { model: modelName(flags.model) }),
        ...(flags.narrow === undefined ? {} : { narrow: flags.narrow }),
        ...(flags.dataset === undefined ? {} : { dataset: datasetName(flags.dataset) }),
      });
      for (const note of trained.notes) context.print(`${flags.checkpoint}: ${note}`);
      const what = `${modelTitle(trained.settings)}, ${trained.kind} weights`;
      if (file !== undefined && format !== undefined) {
        writeFileAtomic(file, formats[format](trained, flags.foldBn === true));
        context.print(`${what}, as ${format} in ${named(file)}`);
        return;
      }
      const dir = directory!;
      const { run, dataNote } = flags;
      const files = hubFiles(trained, {
        name: basename(resolve(dir)),
        ...(run !== undefined && { report: { run: readRunReport(run), where: run } }),
        ...(dataNote !== undefined && { dataNote }),
      });
      const wrote = writeDirectoryAtomic(dir, files);
      context.print(
        wrote ? `${what}, as ${hub} in ${dir}` : `${dir} holds this very export already`,
      );
    });
};
