import { Option } from 'commander';
import { type CompareOptions, compareRecordings } from '../../align/judge/compareRecordings.ts';
import { type ReprodMethod, reprodMethods } from '../../align/measure/reprodMeasures.ts';
import type { Arrays } from '../../io/numpy/arrays.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { partLike } from '../../io/part.ts';
import { readRecording } from '../../io/recording.ts';
import { sha256File } from '../../io/sha256File.ts';
import { unwrapped } from '../../io/torch/wrappers.ts';
import { type ComparedFile, compareLog } from '../../report/compare/compareLog.ts';
import { compareTable } from '../../report/compare/compareTable.ts';
import { nonNegativeNumber } from '../arguments/flags.ts';
import { outputFile } from '../arguments/outputFlags.ts';
import type { RegisterCommand } from '../context.ts';

interface Flags {
  readonly method: ReprodMethod | 'all';
  readonly threshold: number;
  readonly key?: string;
  readonly log?: string;
}

/** The same arrays without what had wrapped a model on one side only. */
function unwrappedLike(arrays: Arrays, other: Arrays): Arrays {
  const { tensors, notes } = unwrapped(arrays.tensors, [...other.tensors.keys()]);
  return { ...arrays, tensors: new Map(tensors), notes: [...arrays.notes, ...notes] };
}

/** Where one side is a part of the other, which. */
function partHint(arrays: Arrays, other: Arrays): Arrays {
  const part = partLike([...arrays.tensors.keys()], [...other.tensors.keys()]);
  if (part === undefined) return arrays;
  const hint = `what lies under '${part}' has the other's keys: --key ${part} compares that`;
  return { ...arrays, notes: [...arrays.notes, hint] };
}

const fileOf = (path: string): ComparedFile => ({ path, sha256: sha256File(path) });

/** reprod_log's own threshold. */
const usualThreshold = 1e-6;

/** Compares two recordings as reprod_log does, and fails where reprod_log would let it pass unseen. */
export const compare: RegisterCommand = (command, context) => {
  command
    .argument(
      '<a>',
      "a reprod_log file, .npz, .npy, .safetensors or any file of torch.save, say the port's",
    )
    .argument('<b>', 'another one, say what PyTorch computed')
    .addOption(
      new Option('--method <name>', 'which |a - b| must not exceed the threshold')
        .choices([...reprodMethods, 'all'])
        .default('mean'),
    )
    .option('--threshold <x>', 'largest value that passes', nonNegativeNumber, usualThreshold)
    .option(
      '--key <path>',
      'only this part of both: state_dict, swa_state_dict, optimizer/state/0/momentum_buffer',
    )
    .addOption(outputFile('--log <file>', "write the log, in reprod_log's format"))
    .action((a: string, b: string, { method, threshold, key, log }: Flags) => {
      const options: CompareOptions = {
        methods: method === 'all' ? reprodMethods : [method],
        threshold,
      };
      const part = key === undefined ? {} : { key };
      const [ours, theirs] = [readRecording(a, part), readRecording(b, part)];
      const first = partHint(unwrappedLike(ours, theirs), theirs);
      const second = partHint(unwrappedLike(theirs, ours), ours);
      const comparison = compareRecordings(first, second, options);
      const text = compareLog(comparison, [fileOf(a), fileOf(b)], options, new Date());
      if (log !== undefined) writeFileAtomic(log, text);
      context.print(
        `${text}\n${compareTable(comparison, first.tensors, second.tensors).join('\n')}`,
      );
      if (!comparison.passed) context.fail();
    });
};
