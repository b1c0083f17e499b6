import { type Command, Option } from 'commander';
import { type CompareOptions, compareToDiagnose } from '../../align/judge/compareRecordings.ts';
import { type MeasureName, measureNames, measures } from '../../align/measure/measures.ts';
import { reprodMethods } from '../../align/measure/reprodMeasures.ts';
import { nearestNames } from '../../align/reference/nearestNames.ts';
import { diagnosedComparison } from '../../diagnose/compared.ts';
import { InputError, UsageError } from '../../errors.ts';
import { alike } from '../../io/alike.ts';
import { printable } from '../../io/names.ts';
import type { Arrays } from '../../io/numpy/arrays.ts';
import { readRecording } from '../../io/recording.ts';
import { sha256File } from '../../io/sha256/sha256File.ts';
import type { NamedProbes } from '../../port/nameMap.ts';
import { type ComparedFile, comparedWords, compareReport } from '../../report/compareReport.ts';
import { reporters } from '../../report/reporters/reporters.ts';
import { shortNumber } from '../../shortNumber.ts';
import { commandLine } from '../arguments/commandLine.ts';
import { nonNegativeNumber } from '../arguments/flags.ts';
import type { RegisterCommand } from '../context.ts';
import { type ChoiceFlags, choiceFlags, reportFlags, type WrittenFlags } from '../judging/flags.ts';
import { mapped } from '../judging/mapped.ts';
import { hostVersions, tell } from '../judging/tell.ts';

interface Flags extends ChoiceFlags, WrittenFlags {
  readonly method?: MeasureName | 'all';
  readonly threshold?: number;
  readonly rtol?: number;
  readonly atol?: number;
  readonly key?: string;
}

const isClose = ({ rtol, atol }: Flags): boolean => rtol !== undefined || atol !== undefined;

/** Throws UsageError for flags that do not go together. */
function optionsOf(flags: Flags): CompareOptions {
  const { method = isClose(flags) ? 'allclose' : 'mean', threshold, rtol = 0, atol = 0 } = flags;
  if (isClose(flags) && method !== 'allclose') {
    throw new UsageError(`--rtol and --atol are not for --method ${method}`, {
      fix: 'leave --method out, or give --threshold',
    });
  }
  if (method === 'allclose' && threshold !== undefined) {
    throw new UsageError('--threshold is not for --method allclose', {
      fix: 'give --rtol and --atol',
    });
  }
  return {
    methods: method === 'all' ? reprodMethods : [method],
    ...(threshold !== undefined && { threshold }),
    ...(isClose(flags) && { tolerance: { rtol, atol } }),
    ...(flags.only && { only: flags.only }),
    ...(flags.except && { except: flags.except }),
  };
}

/** What a map may lead to: a tensor of B. Its axes have no names. */
const namesOf = ({ tensors }: Arrays, where: string): NamedProbes => ({
  probe(name) {
    if (tensors.has(name)) return {};
    const near = nearestNames(name, [...tensors.keys()]);
    throw new InputError(`holds no tensor ${printable(name)}`, {
      where,
      fix:
        near.length === 0
          ? 'write the name as in the file'
          : `the nearest are ${near.map(printable).join(', ')}`,
    });
  },
});

const fileOf = (path: string): ComparedFile => ({ path, sha256: sha256File(path) });

const { usual: threshold } = measures.mean;

/** Compares two recordings by reprod_log's measures or others, and fails where reprod_log would let it pass unseen. */
export const compare: RegisterCommand = (command, context) => {
  command
    .argument(
      '<a>',
      "a reprod_log file, .npz, .npy, .safetensors or any file of torch.save, for instance the port's",
    )
    .argument('<b>', 'another one, for instance what PyTorch computed')
    .addOption(
      new Option(
        '--method <name>',
        'what must not exceed the threshold: the mean, max or min |a - b|, or all three; relative, |a - b| / |b| of the whole; cosine, 1 - cos; ulp, in units of the last place; or allclose (mean)',
      ).choices([...measureNames, 'all']),
    )
    .option(
      '--threshold <x>',
      `largest value that passes (${shortNumber(threshold)}; for ulp ${measures.ulp.usual})`,
      nonNegativeNumber,
    )
    .option(
      '--rtol <x>',
      'for --method allclose: |a - b| may be at most atol + rtol * |b|, element by element; without both flags, the tolerances of torch.testing.assert_close',
      nonNegativeNumber,
    )
    .option('--atol <x>', 'see --rtol', nonNegativeNumber)
    .option(
      '--key <path>',
      'only this part of both: state_dict, swa_state_dict, optimizer/state/0/momentum_buffer',
    );
  choiceFlags(command, 'which tensor of <a> corresponds to which of <b>', 'tensor');
  reportFlags(command).action((a: string, b: string, flags: Flags, called: Command) => {
    const began = performance.now();
    const options = optionsOf(flags);
    const part = flags.key === undefined ? {} : { key: flags.key };
    const [ours, theirs] = [readRecording(a, part), readRecording(b, part)];
    const tensors = new Map(mapped(ours.tensors, flags.map, namesOf(theirs, b)));
    const found = compareToDiagnose(...alike({ ...ours, tensors }, theirs), options);
    const comparison = diagnosedComparison(found);
    const report = compareReport(comparison, {
      a: fileOf(a),
      b: fileOf(b),
      versions: hostVersions(),
      seconds: (performance.now() - began) / 1000,
    });
    const facts = { time: new Date(), command: commandLine(called) };
    const lines = [reporters.log.render([report], facts), ...comparedWords(comparison)];
    tell(report, facts, lines, flags, context);
  });
};
