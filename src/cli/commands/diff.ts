import { join } from 'node:path';
import type { Command } from 'commander';
import { checkMatches, readOverrides } from '../../align/judge/overrideFile.ts';
import type { Override } from '../../align/judge/overrides.ts';
import { type StageName, stageNames } from '../../align/reference/manifest.ts';
import {
  fixturesDirectory,
  openReference,
  type Reference,
} from '../../align/reference/reference.ts';
import { matrixOf } from '../../align/sideBySide/matrix.ts';
import {
  partsOf,
  type RunEvent,
  type Runs,
  runAll,
  type Witness,
} from '../../align/sideBySide/runs.ts';
import type { StageResult } from '../../align/stages/stage.ts';
import { openBackend, openOnDevice } from '../../backends/choose.ts';
import { runOnnxModel } from '../../backends/ort/onnx/onnxModel.ts';
import { checkBackend, everyBackend, openInProcess } from '../../backends/registry.ts';
import { UsageError } from '../../errors.ts';
import { writeReprodLog } from '../../io/numpy/reprodLog.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { layerWords } from '../../nn/layerWords.ts';
import { type ModelName, modelName, models } from '../../nn/models/index.ts';
import { allPassed, type DiffReport, failuresOf, notJudged } from '../../report/diffReport.ts';
import { stageSummary } from '../../report/diffSummary.ts';
import { diffLog, type Provenance } from '../../report/reporters/diffLog.ts';
import { githubAnnotations } from '../../report/reporters/githubAnnotations.ts';
import { matrixJson, matrixMarkdown } from '../../report/reporters/matrixReport.ts';
import { reporterNames, reporters } from '../../report/reporters/reporters.ts';
import { traceTable } from '../../report/reporters/traceTable.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { packageVersion } from '../../version.ts';
import { allOf } from '../../words.ts';
import { commandLine } from '../arguments/commandLine.ts';
import {
  backendHelp,
  backendName,
  commaList,
  deviceHelp,
  deviceName,
  positiveInteger,
} from '../arguments/flags.ts';
import { outputDirectory, outputFile, outputFiles } from '../arguments/outputFlags.ts';
import { claimReport } from '../claims.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import {
  pageDirectory,
  type ReportFlags,
  reportTargets,
  writeReports,
} from '../diff/reportFiles.ts';
import { diffWeights } from '../diff/weights.ts';
import { live } from '../terminal/liveLine.ts';
import { placeLines } from '../terminal/progress.ts';

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

/** And of a third one its whole small run, whose settings are not the recipe's. */
const usualBesides: { readonly model: ModelName; readonly stage: StageName } = {
  model: 'preresnet110',
  stage: 'epochs',
};

/** All seven have references that come with the package. */
const allModels = Object.keys(models) as ModelName[];

const encoder = new TextEncoder();

const reporterHelp = Object.entries(reporters)
  .map(([name, { what }]) => `${name} (${what})`)
  .join(', ');

export const diff: RegisterCommand = (command, context) => {
  command
    .argument('[stages...]', `any of ${stageNames.join(', ')} (all)`)
    .option(
      '--model <name>',
      `one model, or all (${usualModels.join(' and ')}, ${usualBesides.stage} of ${usualBesides.model})`,
    )
    .option('--reference <dir>', 'reference directory (the one that came with the package)')
    .option('--backend <name>', backendHelp, backendName, 'ort')
    .option('--device <name>', deviceHelp, deviceName, 'auto')
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
      for (const name of options.backends ?? []) checkBackend(name);
      const ownOut = command.getOptionValueSource('out') === 'cli';
      const page = pageDirectory(options, ownOut ? options.out : 'reports');
      const opened = [...references(options, wanted), ...besides(options, wanted)];
      const given = givenTo(options, opened, context);
      await context.claims.claim(options.out, 'give another --out');
      await claimReport(page, context.claims);
      const runs = await runsOf(options, opened, wanted, given);
      const found = await follow(runs, options, context);
      live.begin('writing the reports');
      const facts = { time: new Date(), command: commandLine(command) };
      const { reports } = found;
      const targets = reportTargets(options, page);
      writeReports(targets, reports, facts);
      const everything = join(options.out, 'backends.json');
      if (runs.sideBySide) {
        const matrices = opened.map((reference) => matrixOn(reference, found));
        writeFileAtomic(everything, encoder.encode(matrixJson(matrices, versions())));
        for (const line of matrices.flatMap(matrixMarkdown)) context.print(line);
      }
      if (!allPassed(reports)) context.fail();
      context.print(conclusion(reports, options.out));
      if (runs.sideBySide) context.print(`side by side in ${everything}`);
      if (page !== undefined) context.print(`report in ${join(page, 'diff.html')}`);
      if (process.env.GITHUB_ACTIONS === 'true') {
        for (const line of githubAnnotations(reports)) context.print(line);
      }
    });
};

/** The files that were given, read and held against the references before anything is computed or written. */
function givenTo(
  options: DiffOptions,
  opened: readonly Reference[],
  context: CliContext,
): Pick<Runs, 'weights' | 'overrides'> {
  if (options.trace === true) for (const reference of opened) reference.stage('trace');
  const overrides = overridesOf(options, opened);
  const weights = diffWeights(options.weights, opened[0], context);
  return { overrides, ...(weights && { weights }) };
}

/** What is run. */
async function runsOf(
  options: DiffOptions,
  opened: readonly Reference[],
  wanted: readonly StageName[],
  given: Pick<Runs, 'weights' | 'overrides'>,
): Promise<Runs> {
  const { backends, allBackends = false, trace = false, flips = false } = options;
  const sideBySide = allBackends || backends !== undefined;
  return {
    ...given,
    backends: backends ?? (allBackends ? everyBackend : [options.backend]),
    open: (name) =>
      sideBySide
        ? openOnDevice(name, options.threads ? { threads: options.threads } : {})
        : openBackend(name, options),
    sideBySide,
    named: !allBackends,
    stages: wanted,
    references: opened,
    // In a thread of its own it computes beside the other backend.
    oracle: await (trace ? openBackend : openInProcess)('oracle'),
    flips,
    trace,
    progress: live.begin,
    runOnnx: runOnnxModel,
  };
}

/** What a run found, and what it left out. */
interface Followed {
  readonly reports: readonly DiffReport[];
  readonly witnesses: readonly Witness[];
  readonly absent: readonly Extract<RunEvent, { kind: 'absent' }>[];
}

/** Runs everything, tells of it as it comes, and writes the logs. */
async function follow(runs: Runs, options: DiffOptions, context: CliContext): Promise<Followed> {
  const witnesses: Witness[] = [];
  const absent: Extract<RunEvent, { kind: 'absent' }>[] = [];
  const parts = partsOf(runs);
  let begun = 0;
  for await (const event of runAll(runs)) {
    if (event.kind === 'opening') live.begin(`opening ${event.name}`);
    else if (event.kind === 'absent') {
      absent.push(event);
      const { name, why, reference } = event;
      const of = reference === undefined ? '' : `${reference.manifest.model}: `;
      context.print(`${name} left out: ${of}${why}`);
    } else if (event.kind === 'reference') {
      const { model } = event.witness.reference.manifest;
      const { ours, theirs } = provenanceOf(event.witness);
      context.print(`${model}: ${ours} against ${theirs}`);
    } else if (event.kind === 'begins') {
      const { reference } = event.witness;
      live.begin(placeLines(begun++, parts, `${reference.manifest.model} ${event.part}`));
    } else if (event.kind === 'stage') {
      write(directoryOf(options, runs, event.witness), event.result, provenanceOf(event.witness));
      for (const line of stageSummary(event.result)) context.print(line);
    } else if (event.kind === 'trace') {
      for (const line of traceTable(event.trace, process.stdout.columns)) context.print(line);
    } else {
      witnesses.push(event.witness);
      for (const [stage, why] of leftOutOf(event.witness, runs)) {
        context.print(`  – ${stage.padEnd(9)}not judged: left out of the reference, ${why}`);
      }
    }
  }
  return { witnesses, absent, reports: witnesses.map((witness) => reportOf(witness, runs)) };
}

/** Stages that were asked for, that the reference was recorded without, and why. */
function leftOutOf(
  { reference: { manifest } }: Witness,
  { stages: wanted }: Runs,
): ReadonlyMap<StageName, string> {
  const left = wanted.filter((stage) => manifest.stages[stage] === undefined);
  return new Map(
    left.flatMap((stage) => {
      const why = manifest.left_out?.[stage];
      return why === undefined ? [] : [[stage, why] as const];
    }),
  );
}

const reportOf = (witness: Witness, runs: Runs): DiffReport => ({
  ...(runs.sideBySide && { backend: witness.name }),
  leftOut: leftOutOf(witness, runs),
  provenance: provenanceOf(witness),
  versions: versions(),
  results: witness.results,
  layers: layerWords(witness.reference.model),
  ...(witness.trace && { trace: witness.trace }),
});

const matrixOn = (reference: Reference, { witnesses, absent }: Followed) =>
  matrixOf(
    reference.manifest.model,
    witnesses.filter((w) => w.reference === reference),
    absent.filter((a) => a.reference === undefined || a.reference === reference),
  );

function conclusion(reports: readonly DiffReport[], out: string): string {
  // The stages in their order; a trace comes after them.
  const failures = reports
    .flatMap(failuresOf)
    .sort((a, b) => Number(a.part === 'trace') - Number(b.part === 'trace'));
  const failed = new Set(failures.map(({ model, part }) => `${model} ${part}`));
  const count = reports.flatMap((r) => r.results).length;
  const unjudged = new Set(notJudged(reports).map(({ model, stage }) => `${model} ${stage}`));
  return [
    failed.size === 0 ? `${allOf(count, 'stage')} passed` : `failed: ${[...failed].join(', ')}`,
    ...(unjudged.size === 0 ? [] : [`not judged: ${[...unjudged].join(', ')}`]),
    `logs in ${out}/`,
  ].join('; ');
}

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
  if (options.weights !== undefined && named === undefined && options.reference === undefined) {
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

/** What a bare run looks at besides: of that reference one stage, as if it held no other. */
function besides(options: DiffOptions, wanted: readonly StageName[]): Reference[] {
  const { model, reference, backends, allBackends, trace } = options;
  const { model: another, stage } = usualBesides;
  const bare = [model, reference, backends, allBackends, trace].every((o) => o === undefined);
  if (!bare || !wanted.includes(stage)) return [];
  const whole = openReference(join(fixturesDirectory, 'reference', another));
  const { manifest } = whole;
  return [{ ...whole, manifest: { ...manifest, stages: { [stage]: manifest.stages[stage] } } }];
}

/** Read, and each held against the names there are, before anything is computed. */
function overridesOf(options: DiffOptions, opened: readonly Reference[]): Override[] {
  if (options.tolerances === undefined) return [];
  const overrides = readOverrides(options.tolerances);
  checkMatches(overrides, opened, options.tolerances);
  return overrides;
}

function provenanceOf({ description, reference: { manifest } }: Witness): Provenance {
  const { version, cpu_capability: capability } = manifest.torch;
  return {
    ours: `swa-align ${packageVersion} on ${description}`,
    theirs: `PyTorch ${version} (${capability})`,
    hashes: { ...manifest.inputs, ...manifest.files },
  };
}

const versions = (): Record<string, string> => ({
  'swa-align': packageVersion,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
});

/** Where a witness's logs go: the first model's in the directory itself, each backend's of several in its own. */
function directoryOf({ out }: DiffOptions, { sideBySide }: Runs, witness: Witness): string {
  const { model } = witness.reference.manifest;
  const own = sideBySide ? join(out, witness.name.replaceAll(/[^\w.]+/g, '-')) : out;
  return model === usualModels[0] ? own : join(own, model);
}

function write(dir: string, result: StageResult, provenance: Provenance): void {
  const save = (name: string, bytes: Uint8Array): void => writeFileAtomic(join(dir, name), bytes);
  const recording = (tensors: TensorMap): Uint8Array => writeReprodLog(tensors);
  const stem = fileStems[result.stage];
  save(`${stem}_ts.npy`, recording(result.ours));
  save(`${stem}_pytorch.npy`, recording(result.pytorch));
  save(`${stem}_diff.log`, encoder.encode(diffLog(result, provenance, new Date())));
}
