import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type StageName, stageNames } from '../../align/manifest.ts';
import { fixturesDirectory, openReference, type Reference } from '../../align/reference.ts';
import { runStage, type StageResult } from '../../align/stage.ts';
import { stages } from '../../align/stages/index.ts';
import type { Backend } from '../../backends/backend.ts';
import { openBackend } from '../../backends/choose.ts';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/atomicFile.ts';
import { fileError } from '../../io/fileError.ts';
import { writeReprodLog } from '../../io/reprodLog.ts';
import { readWeights } from '../../io/weights.ts';
import { type ModelName, modelName, models } from '../../nn/models/index.ts';
import { type DiffReport, diffJson } from '../../report/diffJson.ts';
import { diffLog, type Provenance } from '../../report/diffLog.ts';
import { stageSummary } from '../../report/diffSummary.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { packageVersion } from '../../version.ts';
import type { RegisterCommand } from '../context.ts';
import { positiveInteger } from '../flags.ts';

interface DiffOptions {
  readonly model?: string;
  readonly reference?: string;
  readonly backend: string;
  readonly threads?: number;
  readonly weights?: string;
  readonly out: string;
  readonly json?: string;
}

/** The original port's file names. */
const fileStems: { readonly [S in StageName]: string } = {
  forward: 'forward',
  metric: 'metric',
  loss: 'loss',
  backward: 'bp_align',
  train: 'train_align',
  swa: 'swa',
};

/** What a bare `diff` holds against PyTorch: a minute's work. The first one's logs lie in the directory itself. */
const usualModels = ['vgg16', 'vgg16bn'] as const satisfies readonly ModelName[];

/** All seven have references that come with the package. */
const allModels = Object.keys(models) as ModelName[];

const encoder = new TextEncoder();

export const diff: RegisterCommand = (program, context) => {
  program
    .command('diff')
    .description('hold the model against the recorded PyTorch reference, stage by stage')
    .argument('[stages...]', `any of ${stageNames.join(', ')} (all)`)
    .option('--model <name>', `one model, or all (${usualModels.join(' and ')})`)
    .option('--reference <dir>', 'reference directory (the one that came with the package)')
    .option('--backend <name>', 'ort or oracle', 'ort')
    .option('--threads <n>', 'threads inside one operator (one a core)', positiveInteger)
    .option(
      '--weights <file>',
      'weights to use instead of the regenerated ones (.pt, .safetensors, .npz)',
    )
    .option('--out <dir>', 'where logs and recordings go', 'diff')
    .option('--json <file>', 'write everything machine-readable')
    .action(async (names: string[], options: DiffOptions) => {
      const wanted = stagesCalled(names);
      const backend = await openBackend(options.backend, options);
      const reports: DiffReport[] = [];
      const weights = options.weights === undefined ? undefined : readWeights(options.weights);
      for (const reference of references(options, wanted)) {
        const present = wanted.filter((s) => reference.manifest.stages[s] !== undefined);
        const provenance = provenanceOf(backend, reference);
        context.print(
          `${reference.manifest.model}: ${provenance.ours} against ${provenance.theirs}`,
        );
        const results: StageResult[] = [];
        for (const name of present) {
          const stageContext = {
            backend,
            reference,
            ...(weights === undefined ? {} : { weights }),
          };
          const result = await runStage(name, stages[name], stageContext);
          write(outputDirectory(options, reference), result, provenance);
          for (const line of stageSummary(result)) context.print(line);
          results.push(result);
        }
        reports.push({ provenance, versions: versions(), results });
      }
      if (options.json !== undefined)
        writeFileAtomic(options.json, encoder.encode(diffJson(reports)));
      const results = reports.flatMap((r) => r.results);
      const failed = results.filter((r) => !r.passed);
      if (failed.length > 0) context.fail();
      context.print(
        failed.length === 0
          ? `all ${results.length} stages passed; logs in ${options.out}/`
          : `failed: ${failed.map((r) => `${r.model} ${r.stage}`).join(', ')}; logs in ${options.out}/`,
      );
    });
};

function stagesCalled(names: readonly string[]): readonly StageName[] {
  for (const name of names) {
    if (!stageNames.includes(name as StageName)) {
      throw new UsageError(`there is no stage "${name}"`, {
        fix: `choose from ${stageNames.join(', ')}`,
      });
    }
  }
  return names.length === 0 ? stageNames : stageNames.filter((s) => names.includes(s));
}

/** The references to run, opened and checked before anything is computed or written. */
function references(options: DiffOptions, wanted: readonly StageName[]): Reference[] {
  const all = options.model === 'all';
  const named = options.model === undefined || all ? undefined : modelName(options.model);
  if (options.weights !== undefined && named === undefined) {
    throw new UsageError('--weights belong to one model', { fix: 'name it with --model' });
  }
  if (options.reference !== undefined) {
    return [openReference(options.reference, named ?? usualModels[0])].filter((r) => {
      for (const s of wanted) if (wanted.length < stageNames.length) r.stage(s);
      return true;
    });
  }
  const directory = (model: string): string => join(fixturesDirectory, 'reference', model);
  if (named !== undefined) {
    const reference = openReference(directory(named), named);
    if (wanted.length < stageNames.length) for (const s of wanted) reference.stage(s);
    return [reference];
  }
  return (all ? allModels : usualModels)
    .map((model) => openReference(directory(model), model))
    .filter(({ manifest }) => wanted.some((s) => manifest.stages[s] !== undefined));
}

function provenanceOf(backend: Backend, { manifest }: Reference): Provenance {
  const { version, cpu_capability: capability } = manifest.torch;
  return {
    ours: `swa-align ${packageVersion} on ${backend.description}`,
    theirs: `PyTorch ${version} (${capability})`,
    hashes: { ...manifest.inputs, ...manifest.files },
  };
}

const versions = (): Record<string, string> => ({
  'swa-align': packageVersion,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
});

const outputDirectory = ({ out }: DiffOptions, { manifest }: Reference): string =>
  manifest.model === usualModels[0] ? out : join(out, manifest.model);

function write(dir: string, result: StageResult, provenance: Provenance): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw fileError(dir, error);
  }
  const save = (name: string, bytes: Uint8Array): void => writeFileAtomic(join(dir, name), bytes);
  const recording = (tensors: TensorMap): Uint8Array => writeReprodLog(tensors);
  const stem = fileStems[result.stage];
  save(`${stem}_ts.npy`, recording(result.ours));
  save(`${stem}_pytorch.npy`, recording(result.pytorch));
  save(`${stem}_diff.log`, encoder.encode(diffLog(result, provenance, new Date())));
}
