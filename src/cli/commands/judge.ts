import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { judgeProbes } from '../../align/probes/judgeProbes.ts';
import { type Precision, precisions } from '../../align/probes/rule.ts';
import { runOwnNetwork } from '../../align/runners/ownNetwork.ts';
import { openBackend } from '../../backends/choose.ts';
import { diagnosedPort } from '../../diagnose/port.ts';
import { UsageError } from '../../errors.ts';
import { readRecording } from '../../io/recording.ts';
import { sha256File } from '../../io/sha256/sha256File.ts';
import { modelName, models } from '../../nn/models/index.ts';
import { openReference } from '../../port/openReference.ts';
import type { PortReference } from '../../port/portReference.ts';
import { firstDivergence } from '../../report/divergence.ts';
import { portReport } from '../../report/portReport.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { type BackendFlags, backendFlags } from '../arguments/backendFlags.ts';
import { commandLine } from '../arguments/commandLine.ts';
import { positiveNumber } from '../arguments/flags.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import { type ChoiceFlags, choiceFlags, reportFlags, type WrittenFlags } from '../judging/flags.ts';
import { mapped } from '../judging/mapped.ts';
import { hostVersions, tell } from '../judging/tell.ts';

import { live } from '../terminal/liveLine.ts';

interface Flags extends BackendFlags, ChoiceFlags, WrittenFlags {
  readonly model?: string;
  readonly reference: string;
  readonly ratio: number;
  readonly precision: Precision;
  readonly partial?: boolean;
}

/** What is judged, and what a reader is told of where it comes from. */
interface Ours {
  readonly recording: TensorMap;
  readonly from: string;
  readonly hashes: Readonly<Record<string, string>>;
}

/** A file, or one of our networks run here: one of them is named. */
async function oursOf(
  path: string | undefined,
  flags: Flags,
  reference: PortReference,
  context: CliContext,
): Promise<Ours> {
  if ((path === undefined) === (flags.model === undefined)) {
    throw new UsageError('a recording is judged, or one of our networks', {
      fix: 'name a file that your port has written, or --model vgg16 to run ours',
    });
  }
  if (path !== undefined) {
    const recording = recordingOf(path, flags.map, reference, context);
    return { recording, from: path, hashes: { [path]: sha256File(path) } };
  }
  if (flags.map !== undefined) {
    throw new UsageError('one of our networks needs no --map', { fix: 'leave it out' });
  }
  const name = modelName(flags.model!);
  live.begin(`running ${models[name].title}`);
  // Its `precision` is the port's.
  const { precision: _, ...options } = flags;
  const backend = await openBackend(flags.backend, options);
  const recording = await runOwnNetwork(reference, name, backend);
  const { description } = backend;
  await backend.close?.();
  return { recording, from: `${models[name].title} on ${description}`, hashes: {} };
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
    .argument('[ours]', 'what a port computed: .safetensors, .npz, a reprod_log file')
    .requiredOption('--reference <dir>', 'what recorder.py wrote')
    .option(
      '--model <name>',
      `run one of our networks instead: ${Object.keys(models).join(', ')}; only probes of its layers are judged`,
    );
  backendFlags(command);
  choiceFlags(command, 'which of your tensors is which probe', 'probe')
    .option('--ratio <x>', "how many times PyTorch's own error passes", positiveNumber, 4)
    .addOption(
      new Option('--precision <name>', 'precision in which the port computes')
        .choices(Object.keys(precisions))
        .default('float32'),
    )
    .option('--partial', 'list probes that the recording lacks, but do not fail');
  reportFlags(command).action(async (path: string | undefined, flags: Flags, called: Command) => {
    const began = performance.now();
    const reference = openReference(flags.reference);
    const ours = await oursOf(path, flags, reference, context);
    const partial = flags.partial === true || flags.model !== undefined;
    const found = judgeProbes(ours.recording, reference, { ...flags, partial });
    const verdicts = diagnosedPort(found.verdicts, ours.recording, reference, flags);
    const judged = { ...found, verdicts };
    const { file, sha256 } = reference.manifest.tensors;
    const report = portReport(reference, judged, {
      ours: ours.from,
      hashes: { ...ours.hashes, [join(flags.reference, file)]: sha256 },
      versions: hostVersions(),
      seconds: (performance.now() - began) / 1000,
    });
    const facts = { time: new Date(), command: commandLine(called) };
    const lines = [...judged.notes.map((note) => `– ${note}`), ...firstDivergence(judged)];
    tell(report, facts, lines, flags, context);
  });
};
