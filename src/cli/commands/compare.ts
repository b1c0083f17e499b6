import { Option } from 'commander';
import { type CompareOptions, compareRecordings } from '../../align/compareRecordings.ts';
import { type ReprodMethod, reprodMethods } from '../../align/reprodMeasures.ts';
import { writeFileAtomic } from '../../io/atomicFile.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { readRecording } from '../../io/recording.ts';
import { sha256Hex } from '../../io/sha256.ts';
import { type ComparedFile, compareLog } from '../../report/compareLog.ts';
import { compareTable } from '../../report/compareTable.ts';
import type { RegisterCommand } from '../context.ts';
import { nonNegativeNumber } from '../flags.ts';
import { outputFile } from '../outputFlags.ts';

interface Flags {
  readonly method: ReprodMethod | 'all';
  readonly threshold: number;
  readonly log?: string;
}

const fileOf = (path: string): ComparedFile => ({ path, sha256: sha256Hex(readFileOrFail(path)) });

/** reprod_log's own threshold. */
const usualThreshold = 1e-6;

/** Compares two recordings as reprod_log does, and fails where reprod_log would let it pass unseen. */
export const compare: RegisterCommand = (program, context) => {
  program
    .command('compare')
    .description('compare two recordings key by key, as reprod_log does')
    .argument('<a>', "a reprod_log file, .npz, .npy or weights file, say the port's")
    .argument('<b>', 'another one, say what PyTorch computed')
    .addOption(
      new Option('--method <name>', 'which |a - b| must not exceed the threshold')
        .choices([...reprodMethods, 'all'])
        .default('mean'),
    )
    .option('--threshold <x>', 'largest value that passes', nonNegativeNumber, usualThreshold)
    .addOption(outputFile('--log <file>', "write the log, in reprod_log's format"))
    .action((a: string, b: string, { method, threshold, log }: Flags) => {
      const options: CompareOptions = {
        methods: method === 'all' ? reprodMethods : [method],
        threshold,
      };
      const [first, second] = [readRecording(a), readRecording(b)];
      const comparison = compareRecordings(first, second, options);
      const text = compareLog(comparison, [fileOf(a), fileOf(b)], options, new Date());
      if (log !== undefined) writeFileAtomic(log, new TextEncoder().encode(text));
      context.print(
        `${text}\n${compareTable(comparison, first.tensors, second.tensors).join('\n')}`,
      );
      if (!comparison.passed) context.fail();
    });
};
