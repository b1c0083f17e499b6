import { join } from 'node:path';
import type { Command } from 'commander';
import { type StageName, stageNames } from '../../align/manifest.ts';
import { checkMatches, type Override, overridesFor, readOverrides } from '../../align/overrides.ts';
import { fixturesDirectory, openReference, type Reference } from '../../align/reference.ts';
import { runStage, type StageResult } from '../../align/stage.ts';
import { stages } from '../../align/stages/index.ts';
import { tracePassed } from '../../align/trace.ts';
import { traceStep } from '../../align/tracing/traceStep.ts';
import type { Backend } from '../../backends/backend.ts';
import { openBackend } from '../../backends/choose.ts';
import { openInProcess } from '../../backends/registry.ts';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/atomicFile.ts';
import { writeReprodLog } from '../../io/reprodLog.ts';
import { type ModelName, modelName, models } from '../../nn/models/index.ts';
import { diffLog, type Provenance } from '../../report/diffLog.ts';
import { allPassed, type DiffReport } from '../../report/diffReport.ts';
import { stageSummary } from '../../report/diffSummary.ts';
import { githubAnnotations } from '../../report/githubAnnotations.ts';
import { reporterNames, reporters } from '../../report/reporters.ts';
import { traceTable } from '../../report/traceTable.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { packageVersion } from '../../version.ts';
import { claimReport } from '../claims.ts';
import { commandLine } from '../commandLine.ts';
import type { RegisterCommand } from '../context.ts';
import { diffBackends } from '../diffBackends.ts';
import {
  pageDirectory,
  type ReportFlags,
  reportTargets,
  writeReports,
} from '../diffReportFiles.ts';
import { diffWeights } from '../diffWeights.ts';
import { backendHelp, commaList, deviceHelp, positiveInteger } from '../flags.ts';
import { live } from '../liveLine.ts';
import { outputDirectory, outputFile, outputFiles } from '../outputFlags.ts';
import { placeLines } from '../progress.ts';

interface DiffOptions extends ReportFlags {
  readonly model?: string;
  readonly reference?: string;
  readonly backend: string;
  readonly device: string;
  readonly grad?: string;
  readonly allBackends?: boolean;
  readonly backends?: readonly string[];
  readonly threads?: number;
  readonly weights?: string;
  readonly out: string;
  readonly trace?: boolean;
  readonly flips?: boolean;
  readonly tolerances?: string;
}

/** The original port's file names. */
const fileStems: { readonly [S in StageName]: string } = {
  ops: 'ops',
  forward: 'forward',
  metric: 'metric',
  loss: 'loss',
  backward: 'bp_align',
  train: 'train_align',
  swa: 'swa',
  epochs: 'epochs',
};

/** What a bare `diff` holds against PyTorch: a minute's work. The first one's logs lie in the directory itself. */
const usualModels = ['vgg16', 'vgg16bn'] as const satisfies readonly ModelName[];

/** All seven have references that come with the package. */
const allModels = Object.keys(models) as ModelName[];

const encoder = new TextEncoder();

const reporterHelp = Object.entries(reporters)
  .map(([name, { what }]) => `${name} (${what})`)
  .join(', ');

export const diff: RegisterCommand = (program, context) => {
  program
    .command('diff')
    .description('hold the model against the recorded PyTorch reference, stage by stage')
    .argument('[stages...]', `any of ${stageNames.join(', ')} (all)`)
    .option('--model <name>', `one model, or all (${usualModels.join(' and ')})`)
    .option('--reference <dir>', 'reference directory (the one that came with the package)')
    .option('--backend <name>', backendHelp, 'ort')
    .option('--device <name>', deviceHelp, 'auto')
    .option('--grad <rules>', 'tfjs: gradients by its own autodiff, or by our adjoints (ir)')
    .option('--all-backends', 'every backend this machine has, side by side')
    .option('--backends <list>', 'these, side by side: ort,tfjs:tensorflow,oracle', commaList)
    .option('--threads <n>', 'threads inside one operator (one a core)', positiveInteger)
    .option(
      '--weights <file>',
      'weights to use instead of the regenerated ones (.pt, .safetensors, .npz)',
    )
    .addOption(outputDirectory('--out <dir>', 'where logs and recordings go', 'diff'))
    .addOption(
      outputFiles(
        '--reporter <name=file>',
        `a report to write, again for more: ${reporterHelp}`,
        reporterNames,
      ),
    )
    .addOption(outputFile('--json <file>', 'short for --reporter json=FILE'))
    .option('--trace', 'also tell one training step layer by layer, the first divergence marked')
    .option(
      '--flips',
      'look for decisions that rounding flipped, however long the float64 oracle takes',
    )
    .option('--tolerances <file>', 'limits set by hand for single tensors, each with its reason')
    .addOption(outputFile('--junit <file>', 'short for --reporter junit=FILE'))
    .addOption(
      outputDirectory(
        '--report <dir>',
        'where diff.html and diff.md go (reports, or the directory of --out where that is given)',
      ),
    )
    .option('--no-report', 'write neither')
    .action(async (names: string[], options: DiffOptions, command: Command) => {
      const wanted = stagesCalled(names);
      const anotherOut = 'give another --out';
      if (options.allBackends === true || options.backends !== undefined) {
        await context.claims.claim(options.out, anotherOut);
        await diffBackends({ ...options, stages: wanted, versions: versions() }, context, () =>
          references(options, wanted),
        );
        return;
      }
      const ownOut = command.getOptionValueSource('out') === 'cli';
      const page = pageDirectory(options, ownOut ? options.out : 'reports');
      const targets = reportTargets(options, page);
      await context.claims.claim(options.out, anotherOut);
      await claimReport(page, context.claims);
      live.begin(`opening ${options.backend}`);
      const backend = await openBackend(options.backend, options);
      const reports: DiffReport[] = [];
      const opened = references(options, wanted);
      const weights = diffWeights(options.weights, opened[0], context);
      const overrides = overridesOf(options, opened);
      if (options.trace === true) for (const reference of opened) reference.stage('trace');
      // In a thread of its own it computes beside the other backend.
      const oracle = await (options.trace === true ? openBackend : openInProcess)('oracle');
      const presentIn = ({ manifest }: Reference): StageName[] =>
        wanted.filter((s) => manifest.stages[s] !== undefined);
      const parts = opened.flatMap((r) => [...presentIn(r), ...(options.trace ? ['trace'] : [])]);
      let begun = 0;
      const begin = ({ manifest }: Reference, part: string): void =>
        live.begin(placeLines(begun++, parts.length, `${manifest.model} ${part}`));
      for (const reference of opened) {
        const provenance = provenanceOf(backend, reference);
        context.print(
          `${reference.manifest.model}: ${provenance.ours} against ${provenance.theirs}`,
        );
        const results: StageResult[] = [];
        const stageContext = {
          backend,
          reference,
          oracle,
          overrides: overridesFor(overrides, reference.manifest.model),
          ...(weights === undefined ? {} : { weights }),
          ...(options.flips && { flips: true }),
        };
        for (const name of presentIn(reference)) {
          begin(reference, name);
          const result = await runStage(name, stages[name], stageContext);
          write(directoryOf(options, reference), result, provenance);
          for (const line of stageSummary(result)) context.print(line);
          results.push(result);
        }
        const report = { provenance, versions: versions(), results };
        if (options.trace !== true) {
          reports.push(report);
          continue;
        }
        begin(reference, 'trace');
        const trace = await traceStep(stageContext);
        for (const line of traceTable(trace, process.stdout.columns)) context.print(line);
        reports.push({ ...report, trace });
      }
      live.begin('writing the reports');
      const facts = { time: new Date(), command: commandLine(command) };
      writeReports(targets, reports, facts);
      const results = reports.flatMap((r) => r.results);
      const failed = [
        ...results.filter((r) => !r.passed).map((r) => `${r.model} ${r.stage}`),
        ...reports.flatMap(({ trace }) =>
          trace === undefined || tracePassed(trace) ? [] : [`${trace.model} trace`],
        ),
      ];
      if (!allPassed(reports)) context.fail();
      context.print(
        failed.length === 0
          ? `all ${results.length} stages passed; logs in ${options.out}/`
          : `failed: ${failed.join(', ')}; logs in ${options.out}/`,
      );
      if (page !== undefined) context.print(`report in ${join(page, 'diff.html')}`);
      if (process.env.GITHUB_ACTIONS === 'true') {
        for (const line of githubAnnotations(reports)) context.print(line);
      }
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
    return [openReference(options.reference, named)].filter((r) => {
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

/** Read, and each held against the names there are, before anything is computed. */
function overridesOf(options: DiffOptions, opened: readonly Reference[]): Override[] {
  if (options.tolerances === undefined) return [];
  const overrides = readOverrides(options.tolerances);
  checkMatches(overrides, opened, options.tolerances);
  return overrides;
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

const directoryOf = ({ out }: DiffOptions, { manifest }: Reference): string =>
  manifest.model === usualModels[0] ? out : join(out, manifest.model);

function write(dir: string, result: StageResult, provenance: Provenance): void {
  const save = (name: string, bytes: Uint8Array): void => writeFileAtomic(join(dir, name), bytes);
  const recording = (tensors: TensorMap): Uint8Array => writeReprodLog(tensors);
  const stem = fileStems[result.stage];
  save(`${stem}_ts.npy`, recording(result.ours));
  save(`${stem}_pytorch.npy`, recording(result.pytorch));
  save(`${stem}_diff.log`, encoder.encode(diffLog(result, provenance, new Date())));
}
