import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { judgeProbes } from '../../align/probes/judgeProbes.ts';
import { type Precision, precisions } from '../../align/probes/rule.ts';
import { readRecording } from '../../io/recording.ts';
import { sha256File } from '../../io/sha256/sha256File.ts';
import { openReference } from '../../port/openReference.ts';
import type { PortReference } from '../../port/portReference.ts';
import { firstDivergence } from '../../report/divergence.ts';
import { portReport } from '../../report/portReport.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { commandLine } from '../arguments/commandLine.ts';
import { positiveNumber } from '../arguments/flags.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import { type ChoiceFlags, choiceFlags, reportFlags, type WrittenFlags } from '../judging/flags.ts';
import { mapped } from '../judging/mapped.ts';
import { hostVersions, tell } from '../judging/tell.ts';

interface Flags extends ChoiceFlags, WrittenFlags {
  readonly reference: string;
  readonly ratio: number;
  readonly precision: Precision;
  readonly partial?: boolean;
}

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
  return mapped(tensors, map, reference);
}

/** Holds what any program recorded against what PyTorch did, tensor by tensor. */
export const judge: RegisterCommand = (command, context) => {
  command
    .argument('<ours>', 'what a port computed: .safetensors, .npz, a reprod_log file')
    .requiredOption('--reference <dir>', 'what recorder.py wrote');
  choiceFlags(command, 'which tensor of ours is which probe', 'probe')
    .option('--ratio <x>', "how many times PyTorch's own error passes", positiveNumber, 4)
    .addOption(
      new Option('--precision <name>', 'what the port computes in')
        .choices(Object.keys(precisions))
        .default('float32'),
    )
    .option('--partial', 'probes that the recording lacks are told and do not fail');
  reportFlags(command).action((ours: string, flags: Flags, called: Command) => {
    const began = performance.now();
    const reference = openReference(flags.reference);
    const recording = recordingOf(ours, flags.map, reference, context);
    const judged = judgeProbes(recording, reference, flags);
    const { file, sha256 } = reference.manifest.tensors;
    const report = portReport(reference, judged, {
      ours,
      hashes: { [ours]: sha256File(ours), [join(flags.reference, file)]: sha256 },
      versions: hostVersions(),
      seconds: (performance.now() - began) / 1000,
    });
    const facts = { time: new Date(), command: commandLine(called) };
    const lines = [...judged.notes.map((note) => `– ${note}`), ...firstDivergence(judged)];
    tell(report, facts, lines, flags, context);
  });
};
