import { scalar, type Tensor } from '../../../tensor/tensor.ts';
import type { Expectation, Rule } from '../../judge/expectation.ts';
import { firstDifference, judgeBy } from '../../judge/rules.ts';
import { tolerances } from '../../judge/tolerances.ts';
import { passed } from '../../judge/verdict.ts';
import { recorded, recordedNames } from '../../reference/recorded.ts';
import { digestRows, expectedWeights } from '../sameStart.ts';
import type { PartRun } from '../stage.ts';
import { numbers, passRows } from './epochRecording.ts';
import {
  averagedBy,
  columns,
  type EpochsRecord,
  epochsAfter,
  evalName,
  evals,
  fedParts,
  groupsAfter,
  imagesIn,
  numbersOf,
  stepsAnEpoch,
  testParts,
  toldIn,
} from './epochsRecord.ts';

const same = (name: string, to: Tensor, row: (i: number) => string): Expectation => ({
  name,
  rule: { kind: 'equality', to, row, what: `${to.shape[0]}` },
});

/** As far from float64 as PyTorch has strayed from itself, ten times. */
const near = (name: string, truth: number, floor: number): Expectation => ({
  name,
  rule: {
    kind: 'distance',
    method: 'mean',
    to: scalar(truth),
    threshold: Math.max(tolerances.lossFloor, tolerances.lossFloorFactor * floor),
    because: `to float64; PyTorch from itself ${floor.toExponential(1)}`,
  },
});

/** A percentage; another division rounds it otherwise. */
const sameAccuracy = (name: string, to: number): Expectation => ({
  name,
  rule: { kind: 'equality', to: scalar(to), row: () => `${to}`, what: `${to} %`, within: 1e-9 },
});

/** What every step was fed. */
function fed(record: EpochsRecord, from: number): Expectation[] {
  const { section } = record;
  const each = stepsAnEpoch(section);
  const place = (i: number): string =>
    `epoch ${Math.floor((from + i) / each) + 1}, step ${((from + i) % each) + 1}`;
  const steps = section.steps.slice(from);
  return [
    same('batch sizes', numbers(steps.map((_, i) => imagesIn(section, from + i))), place),
    same('learning rate', numbers(numbersOf(record, 'lr').slice(from)), place),
    ...fedParts(section).map((part) =>
      same(part, digestRows(steps.map((step) => step[part]!)), place),
    ),
  ];
}

/** The test images of every pass over them. */
function tested(record: EpochsRecord, from: number): Expectation[] {
  const { section } = record;
  const ended = epochsAfter(record, from);
  const passes = (['testLoss', 'swaTestLoss'] as const).flatMap((column) =>
    toldIn(column, record).filter((epoch) => ended.includes(epoch)),
  );
  const size = section.evaluation.length;
  return testParts.map((part) =>
    same(
      `test ${part}`,
      digestRows(passes.flatMap(() => section.evaluation.map((batch) => batch[part]))),
      (i) => `batch ${(i % size) + 1} of pass ${Math.floor(i / size) + 1}`,
    ),
  );
}

/** What is drawn or decided; first what is decided: an evaluation too many moves the generator. */
function decided(record: EpochsRecord, { recording }: PartRun, from: number, prefix: string) {
  const { section } = record;
  const ended = epochsAfter(record, from);
  const done = ended[0] - 1;
  const parting = ({ name, rule }: Expectation): number =>
    rule.kind === 'equality' ? firstDifference(recording.get(prefix + name), rule.to) : 0;
  return [
    same(
      'models averaged',
      numbers(numbersOf(record, 'averaged').slice(done)),
      (i) => `epoch ${ended[i]}`,
    ),
    ...columns.map((column) => {
      const told = toldIn(column, record);
      return same(`${column} is told`, numbers(told), (i) => `epoch ${told[i] ?? 'after these'}`);
    }),
    // First the part that went wrong first.
    ...fed(record, from).sort((a, b) => Math.min(parting(a), 1e9) - Math.min(parting(b), 1e9)),
    ...tested(record, from),
    same(
      'batch-norm refresh',
      passRows(section.refreshes.slice(averagedBy(done, record))),
      (i) => `batch ${i + 1} of the passes`,
    ),
    same(
      'generator',
      digestRows(section.generators.slice(done)),
      (i) => `the end of epoch ${ended[i]}`,
    ),
  ];
}

/**
 * The losses of an epoch's steps, from step `from` of the run on. The first one of each batch size stands before
 * the epoch's state as long as all before it agree: then only that size can be what is wrong.
 */
function losses(
  record: EpochsRecord,
  { recording }: PartRun,
  epoch: number,
  from: number,
  prefix: string,
) {
  const { section } = record;
  const each = stepsAnEpoch(section);
  const truth = numbersOf(record, 'f64/losses');
  const all: Expectation[] = [];
  for (let step = Math.max(from, (epoch - 1) * each); step < epoch * each; step++) {
    all.push(near(`loss@${step}`, truth[step], section.noise.steps[step]));
  }
  if (epoch > 1) return { first: [], later: all };
  const agrees = ({ name, rule }: { readonly name: string; readonly rule: Rule }): boolean => {
    const found = recording.get(prefix + name);
    return found !== undefined && rule.kind !== 'refusal' && passed(judgeBy(found, rule).finding);
  };
  const newSize = (step: number): boolean =>
    step === 0 || imagesIn(section, step) !== imagesIn(section, step - 1);
  const isFirst = all.map((_, step) => newSize(step) && all.slice(0, step).every(agrees));
  return {
    first: all.filter((_, step) => isFirst[step]),
    later: all.filter((_, step) => !isFirst[step]),
  };
}

const isStatistic = (name: string): boolean => /\.running_(mean|var)$/.test(name);

/** What an epoch left behind: its weights and buffers, then the average's, where a model joined. */
function states(record: EpochsRecord, epoch: number): Expectation[] {
  const { section, arrays } = record;
  const relativeL2 = Math.max(
    tolerances.relativeL2,
    tolerances.lossFloorFactor * section.noise.tensors[epoch - 1],
  );
  return groupsAfter(epoch, record).flatMap(({ prefix }) => {
    const names = recordedNames(arrays, prefix);
    const inOrder = [...names.filter((n) => !isStatistic(n)), ...names.filter(isStatistic)];
    return inOrder.map((name): Expectation => {
      const tolerance = { relativeL2, bySpread: true };
      const held = recorded(arrays, prefix + name)!;
      return { name: prefix + name, rule: { kind: 'float64', record: held, tolerance } };
    });
  });
}

/** What the log says of an epoch. */
const log = (record: EpochsRecord, epoch: number): Expectation[] =>
  columns.flatMap((column): Expectation[] => {
    const at = toldIn(column, record).indexOf(epoch);
    if (at < 0) return [];
    const truth = numbersOf(record, `f64/${column}`)[at];
    const name = `${column} of epoch ${epoch}`;
    return [
      column.endsWith('Loss')
        ? near(name, truth, record.section.noise.losses[epoch - 1])
        : sameAccuracy(name, truth),
    ];
  });

/** What the command `eval` says of the last checkpoint. */
function evaluations(record: EpochsRecord): Expectation[] {
  const { section } = record;
  const floor = section.noise.losses[section.settings.epochs - 1];
  const last = (column: string): number => numbersOf(record, `f64/${column}`).at(-1)!;
  return evals.flatMap(({ kind, batches, loss, accuracy }) => [
    ...testParts.map((part) =>
      same(
        evalName(kind, part),
        digestRows(section[batches].map((batch) => batch[part])),
        (i) => `batch ${i + 1}`,
      ),
    ),
    near(evalName(kind, 'loss'), last(loss), floor),
    sameAccuracy(evalName(kind, 'accuracy'), last(accuracy)),
  ]);
}

/**
 * What is expected of a run from step `from` on: first what is decided and drawn, then epoch by epoch what was
 * computed. There its state comes before its losses: a lost momentum or a wrong average shows in every loss after it.
 */
export function epochExpectations(
  record: EpochsRecord,
  ran: PartRun,
  from: number,
  prefix: string,
): Expectation[] {
  return [
    ...(from === 0 ? [expectedWeights(record.section.weights.sha256)] : []),
    ...decided(record, ran, from, prefix),
    ...epochsAfter(record, from).flatMap((epoch) => {
      const { first, later } = losses(record, ran, epoch, from, prefix);
      return [...first, ...states(record, epoch), ...later, ...log(record, epoch)];
    }),
    ...evaluations(record),
  ].map((expectation) => ({ ...expectation, name: prefix + expectation.name }));
}
