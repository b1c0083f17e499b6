import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { judgeProbes } from '../../align/probes/judgeProbes.ts';
import { type Precision, precisions } from '../../align/probes/rule.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { readRecording } from '../../io/recording.ts';
import { sha256File } from '../../io/sha256File.ts';
import { parseNameMap, renamed } from '../../port/nameMap.ts';
import { openReference } from '../../port/openReference.ts';
import type { PortReference } from '../../port/portReference.ts';
import { reportPassed } from '../../report/diffReport.ts';
import { firstDivergence } from '../../report/divergence.ts';
import { portReport } from '../../report/portReport.ts';
import { githubAnnotations } from '../../report/reporters/githubAnnotations.ts';
import { reporterNames } from '../../report/reporters/reporters.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { commandLine } from '../arguments/commandLine.ts';
import { positiveNumber } from '../arguments/flags.ts';
import { outputFile, outputFiles } from '../arguments/outputFlags.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import { type ReportTarget, reportTargets, writeReports } from '../diff/reportFiles.ts';

interface Flags {
  readonly reference: string;
  readonly map?: string;
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly ratio: number;
  readonly precision: Precision;
  readonly partial?: boolean;
  readonly reporter?: readonly ReportTarget[];
  readonly json?: string;
  readonly junit?: string;
}

const more = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** The recording under the names of the probes. */
function recordingOf(
  path: string,
  map: string | undefined,
  reference: PortReference,
  context: CliContext,
): TensorMap {
  const { tensors, unread, notes } = readRecording(path);
  for (const note of notes) context.print(`${path}: ${note}`);
  for (const [name, { what }] of unread) context.print(`${path}: ${name} is left out: ${what}`);
  if (map === undefined) return tensors;
  const text = new TextDecoder().decode(readFileOrFail(map));
  return renamed(tensors, parseNameMap(text, map), reference, map);
}

/** Holds what any program recorded against what PyTorch did, tensor by tensor. */
export const judge: RegisterCommand = (command, context) => {
  command
    .argument('<ours>', 'what a port computed: .safetensors, .npz, a reprod_log file')
    .requiredOption('--reference <dir>', 'what recorder.py wrote')
    .option('--map <file>', 'which tensor of ours is which probe: docs/judge-your-port.md')
    .option('--only <glob>', 'only probes whose names fit, again for more: "encoder.*"', more)
    .option('--except <glob>', 'not those whose names fit, again for more', more)
    .option('--ratio <x>', "how many times PyTorch's own error passes", positiveNumber, 4)
    .addOption(
      new Option('--precision <name>', 'what the port computes in')
        .choices(Object.keys(precisions))
        .default('float32'),
    )
    .option('--partial', 'probes that the recording lacks are told and do not fail')
    .addOption(
      outputFiles('--reporter <name=file>', 'a report to write, again for more', reporterNames),
    )
    .addOption(outputFile('--json <file>', 'short for --reporter json=FILE'))
    .addOption(outputFile('--junit <file>', 'short for --reporter junit=FILE'))
    .action((ours: string, flags: Flags, called: Command) => {
      const began = performance.now();
      const reference = openReference(flags.reference);
      const recording = recordingOf(ours, flags.map, reference, context);
      const judged = judgeProbes(recording, reference, flags);
      const { file, sha256 } = reference.manifest.tensors;
      const report = portReport(reference, judged, {
        ours,
        hashes: { [ours]: sha256File(ours), [join(flags.reference, file)]: sha256 },
        versions: { node: process.version, platform: `${process.platform}-${process.arch}` },
        seconds: (performance.now() - began) / 1000,
      });
      const facts = { time: new Date(), command: commandLine(called) };
      writeReports(reportTargets(flags, undefined), [report], facts);
      for (const note of judged.notes) context.print(`– ${note}`);
      for (const line of firstDivergence(judged)) context.print(line);
      if (process.env.GITHUB_ACTIONS === 'true') {
        for (const line of githubAnnotations([report])) context.print(line);
      }
      if (!reportPassed(report)) context.fail();
    });
};
