import { sha256Hex } from '../../io/sha256.ts';
import { type Tensor, type TensorMap, tensor, toFloat32, toFloat64 } from '../../tensor/tensor.ts';
import type { LogRow } from '../../train/logRow.ts';
import { byFloat64 } from '../judge/float64.ts';
import { judge } from '../judge/judge.ts';
import { recorded, recordedNames } from '../recorded.ts';
import { arrayOf } from '../reference.ts';
import type { Stage, StageContext, StageFindings } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { check, passed, type Verdict } from '../verdict.ts';
import { inTurn, nothing } from './parts.ts';
import { expectedWeights, weightDigests } from './sameStart.ts';
import { type EpochsSection, type ObservedRun, smallRun } from './smallRun.ts';

/** What PyTorch recorded, as each part of the judgement reads it. */
interface Record {
  readonly section: EpochsSection;
  readonly arrays: TensorMap;
  readonly file: string;
}

/** Images of a step: an epoch's last batch may be short. */
const imagesIn = (section: EpochsSection, step: number): number => {
  const { images, batch } = section.settings;
  return Math.min(batch, images - (step % stepsAnEpoch(section)) * batch);
};

const stepsAnEpoch = ({ settings }: EpochsSection): number =>
  Math.ceil(settings.images / settings.batch);

/**
 * A small run from its first draw to its last average, once in one go and once stopped and resumed, and what
 * `eval` says of it. What is drawn or decided (order, pixels, masks, rates, which epochs join the average, the
 * generator) must be PyTorch's to the bit; what is computed may part from the truth ten times as far as
 * PyTorch, adding up in other orders, does.
 */
export const epochs: Stage = () => [{ findings }];

async function findings(context: StageContext): Promise<StageFindings> {
  const { reference } = context;
  const section = reference.stage('epochs');
  const record: Record = { section, arrays: reference.arrays(section.file), file: section.file };
  const { stop_after: stopAfter, epochs: count } = section.settings;
  const found = await inTurn(context, [
    async () => judgeRun(await smallRun(context, section), record, 0, ''),
    async () =>
      judgeRun(await smallRun(context, section, stopAfter), record, stopAfter, 'resumed: '),
  ]);
  return {
    ...found,
    inputs: Object.keys(reference.manifest.inputs).filter((path) => path.endsWith('.bin')),
    notes: [
      `${count} epochs of ${stepsAnEpoch(section)} steps, ${averagedBy(count, record)} averaged; the second run stopped after ${stopAfter} steps`,
    ],
  };
}

/**
 * The verdicts on a run from step `from` on: first what is decided, then what is drawn (an evaluation too many moves
 * the generator), then epoch by epoch what was computed.
 * There its state comes before its losses: a lost momentum or a wrong average shows in every loss after it.
 */
function judgeRun(run: ObservedRun, record: Record, from: number, prefix: string): StageFindings {
  const { section } = record;
  const done = Math.floor(from / stepsAnEpoch(section));
  const epochs = Array.from({ length: section.settings.epochs - done }, (_, i) => done + i + 1);
  const verdicts = [
    ...(from === 0 ? [weightsDrawn(run, record)] : []),
    decisions(run, record, from),
    ...columns.map((column) => isTold(column, run, record)),
    ...whatWasFed(run, record, from),
    ...whatWasTested(run, record, from),
    ...refreshPasses(run, record, from),
    generators(run, record, from),
    ...epochs.flatMap((epoch) => {
      const { first, later } = losses(run, record, epoch, from);
      return [...first, ...states(run, record, epoch), ...later, ...log(run, record, epoch)];
    }),
    ...evaluations(run, record),
  ].map((v) => ({ ...v, name: prefix + v.name }));
  return { ...nothing, verdicts, ...recordedLosses(run, record, from, prefix) };
}

const weightsDrawn = ({ checkpoints }: ObservedRun, { section }: Record): Verdict => {
  const found = checkpoints.get(0)?.weights ?? new Map();
  // A backend in float64 holds the same numbers in other bytes.
  const drawn = new Map(
    [...found]
      .filter(([name]) => !name.endsWith('.num_batches_tracked'))
      .map(([name, t]) => [name, tensor('float32', t.shape, toFloat32(t))]),
  );
  const { sha256 } = section.weights;
  return judge(weightDigests(drawn, sha256), [expectedWeights(sha256)]).verdicts[0];
};

/** Where two lists part first; Infinity where they do not. Another length parts where the shorter one ends. */
function parting<T>(ours: readonly T[], theirs: readonly T[]): number {
  const length = Math.max(ours.length, theirs.length);
  const at = Array.from({ length }, (_, i) => i).findIndex((i) => ours[i] !== theirs[i]);
  return at < 0 ? Infinity : at;
}

/** Compares two lists entry by entry. */
function sameList<T>(
  name: string,
  ours: readonly T[],
  theirs: readonly T[],
  what: (index: number) => string,
): Verdict {
  if (theirs.length === 0) return { name, checks: [], problem: 'the reference holds nothing' };
  const at = parting(ours, theirs);
  const differing = theirs.filter((value, i) => ours[i] !== value).length;
  const extra = Math.max(0, ours.length - theirs.length);
  const count = ours.length === theirs.length ? '' : `${ours.length} instead of ${theirs.length}; `;
  const note = at === Infinity ? `${theirs.length}` : `${count}first differs at ${what(at)}`;
  return { name, checks: [check('equal', differing + extra, 0, { note })] };
}

/** What every step was fed; first the part that went wrong first. */
function whatWasFed(
  { fed }: ObservedRun,
  { section, arrays, file }: Record,
  from: number,
): Verdict[] {
  const each = stepsAnEpoch(section);
  const place = (i: number): string => {
    const step = from + i;
    return `epoch ${Math.floor(step / each) + 1}, step ${(step % each) + 1}`;
  };
  const sizes = section.steps.map((_, step) => imagesIn(section, step));
  const rates = [...toFloat64(arrayOf(arrays, 'lr', file))];
  type Part = keyof EpochsSection['steps'][number];
  type Told = [string, (number | string | undefined)[], (number | string | undefined)[]];
  const digests = (part: Part): Told => [
    part,
    fed.map((step) => step.digests[part]),
    section.steps.map((step) => step[part]),
  ];
  const masks = (['mask0', 'mask1'] as const).filter((mask) => mask in section.steps[0]);
  const parts: Told[] = [
    ['batch sizes', fed.map((step) => step.images), sizes],
    ['learning rate', fed.map((step) => step.lr), rates],
    digests('labels'),
    digests('images'),
    ...masks.map(digests),
  ];
  return parts
    .map(([name, ours, theirs]) => ({ name, ours, theirs: theirs.slice(from) }))
    .map((part) => ({ ...part, at: parting(part.ours, part.theirs) }))
    .sort((a, b) => (a.at === b.at ? 0 : a.at - b.at))
    .map(({ name, ours, theirs }) => sameList(name, ours, theirs, place));
}

const testParts = ['labels', 'images'] as const;

/** The test images of every pass over them. */
function whatWasTested(
  { evaluated }: ObservedRun,
  { section, arrays, file }: Record,
  from: number,
): Verdict[] {
  const done = Math.floor(from / stepsAnEpoch(section));
  const passes = (['testLoss', 'swaTestLoss'] as const).flatMap((column) =>
    toldIn(column, { section, arrays, file }).filter((epoch) => epoch > done),
  );
  const size = section.evaluation.length;
  return testParts.map((part) =>
    sameList(
      `test ${part}`,
      evaluated.map((batch) => batch[part]),
      passes.flatMap(() => section.evaluation.map((batch) => batch[part])),
      (i) => `batch ${(i % size) + 1} of pass ${Math.floor(i / size) + 1}`,
    ),
  );
}

/** What `eval` saw and said: of the average in the batches of the run, of the trained weights in batches of its own. */
function evaluations({ evals }: ObservedRun, { section, arrays, file }: Record): Verdict[] {
  const last = section.noise.losses[section.settings.epochs - 1];
  const asked = [
    { kind: 'swa', batches: section.evaluation, loss: 'swaTestLoss', accuracy: 'swaTestAccuracy' },
    { kind: 'raw', batches: section.eval, loss: 'testLoss', accuracy: 'testAccuracy' },
  ] as const;
  return asked.flatMap(({ kind, batches, loss, accuracy }): Verdict[] => {
    const observed = evals[kind];
    const name = `eval of ${kind} weights`;
    if ('problem' in observed) return [{ name, checks: [], problem: observed.problem }];
    const { fed, found } = observed;
    const truth = (column: Column): number =>
      toFloat64(arrayOf(arrays, `f64/${column}`, file)).at(-1)!;
    return [
      ...testParts.map((part) =>
        sameList(
          `${name}: ${part}`,
          fed.map((batch) => batch[part]),
          batches.map((batch) => batch[part]),
          (i) => `batch ${i + 1}`,
        ),
      ),
      {
        name: `${name}: loss`,
        checks: [check('mean', Math.abs(found.loss - truth(loss)), bound(last))],
      },
      { name: `${name}: accuracy`, checks: [sameAccuracy(found.accuracy * 100, truth(accuracy))] },
    ];
  });
}

const sameAccuracy = (ours: number, theirs: number) =>
  check('equal', Math.abs(ours - theirs) < 1e-9 ? 0 : 1, 0, { note: `${ours} against ${theirs}` });

/** The images that batch norm's statistics were drawn from, pass by pass. */
function refreshPasses({ refreshes }: ObservedRun, record: Record, from: number): Verdict[] {
  const { section } = record;
  const before = averagedBy(Math.floor(from / stepsAnEpoch(section)), record);
  const flat = (passes: readonly (readonly string[])[]): string[] =>
    passes.flatMap((pass, n) => pass.map((hash) => `${n} ${hash}`));
  const expected = section.refreshes.slice(before);
  return [
    sameList(
      'batch-norm refresh',
      flat(refreshes),
      flat(expected),
      (i) => `batch ${i + 1} of the passes`,
    ),
  ];
}

/** How many models the average holds after so many epochs. */
const averagedBy = (done: number, { arrays, file }: Record): number =>
  done === 0 ? 0 : toFloat64(arrayOf(arrays, 'averaged', file))[done - 1];

/** After which epochs the average held how many models. */
function decisions(
  { checkpoints }: ObservedRun,
  { section, arrays, file }: Record,
  from: number,
): Verdict {
  const done = Math.floor(from / stepsAnEpoch(section));
  const theirs = [...toFloat64(arrayOf(arrays, 'averaged', file))].slice(done);
  const ours = theirs.map((_, i) => checkpoints.get(done + i + 1)?.averaged);
  return sameList<number | undefined>(
    'models averaged',
    ours,
    theirs,
    (i) => `epoch ${done + i + 1}: ${ours[i]} instead of ${theirs[i]}`,
  );
}

function generators({ checkpoints }: ObservedRun, { section }: Record, from: number): Verdict {
  const done = Math.floor(from / stepsAnEpoch(section));
  const theirs = section.generators.slice(done);
  const ours = theirs.map((_, i) => {
    const state = checkpoints.get(done + i + 1)?.position.generator;
    return state === undefined ? 'no checkpoint' : sha256Hex(state);
  });
  return sameList('generator', ours, theirs, (i) => `the end of epoch ${done + i + 1}`);
}

const bound = (floor: number): number =>
  Math.max(tolerances.lossFloor, tolerances.lossFloorFactor * floor);

/**
 * The losses of an epoch's steps, from step `from` of the run on. The first one of each batch size stands before
 * the epoch's state as long as all before it agree: then only that size can be what is wrong.
 */
function losses(
  run: ObservedRun,
  { section, arrays, file }: Record,
  epoch: number,
  from: number,
): { readonly first: readonly Verdict[]; readonly later: readonly Verdict[] } {
  const truth = toFloat64(arrayOf(arrays, 'f64/losses', file));
  const each = stepsAnEpoch(section);
  const verdicts: Verdict[] = [];
  for (let step = Math.max(from, (epoch - 1) * each); step < epoch * each; step++) {
    const floor = section.noise.steps[step];
    const error = Math.abs((run.losses[step - from] ?? Number.NaN) - truth[step]);
    const note = `to float64; PyTorch from itself ${floor.toExponential(1)}`;
    verdicts.push({ name: `loss@${step}`, checks: [check('mean', error, bound(floor), { note })] });
  }
  if (epoch > 1) return { first: [], later: verdicts };
  const newSize = (step: number): boolean =>
    step === 0 || imagesIn(section, step) !== imagesIn(section, step - 1);
  const isFirst = verdicts.map((_, step) => newSize(step) && verdicts.slice(0, step).every(passed));
  return {
    first: verdicts.filter((_, step) => isFirst[step]),
    later: verdicts.filter((_, step) => !isFirst[step]),
  };
}

/** Both sides' losses from step `from` on. */
function recordedLosses(
  run: ObservedRun,
  { arrays, file }: Record,
  from: number,
  prefix: string,
): Pick<StageFindings, 'ours' | 'pytorch'> {
  const name = `${prefix}losses`;
  const [ours, theirs] = [run.losses, toFloat64(arrayOf(arrays, 'f32/losses', file)).slice(from)];
  const single = (values: ArrayLike<number>): Tensor =>
    tensor('float32', [values.length], Float32Array.from(values));
  return { ours: new Map([[name, single(ours)]]), pytorch: new Map([[name, single(theirs)]]) };
}

const columns = [
  'trainLoss',
  'trainAccuracy',
  'testLoss',
  'testAccuracy',
  'swaTestLoss',
  'swaTestAccuracy',
] as const satisfies readonly (keyof LogRow)[];

type Column = (typeof columns)[number];

/** Epochs in which the recorded log has a number in a column. */
const toldIn = (column: Column, { arrays, file }: Record): number[] => [
  ...toFloat64(arrayOf(arrays, `epochs/${column}`, file)),
];

/** Which epochs have an entry in the log. */
function isTold(column: Column, { rows }: ObservedRun, record: Record): Verdict {
  const ours = rows.filter((row) => row[column] !== undefined).map(({ epoch }) => epoch);
  const theirs = toldIn(column, record);
  return sameList(`${column} is told`, ours, theirs, (i) => `epoch ${theirs[i] ?? ours[i]}`);
}

/** What the log says of an epoch. */
function log({ rows }: ObservedRun, record: Record, epoch: number): Verdict[] {
  const { section, arrays, file } = record;
  const row = rows.find((r) => r.epoch === epoch);
  return columns.flatMap((column): Verdict[] => {
    const at = toldIn(column, record).indexOf(epoch);
    if (at < 0) return [];
    const truth = toFloat64(arrayOf(arrays, `f64/${column}`, file))[at];
    const value = row?.[column] ?? Number.NaN;
    const judged = column.endsWith('Loss')
      ? check('mean', Math.abs(value - truth), bound(section.noise.losses[epoch - 1]))
      : sameAccuracy(value, truth);
    return [{ name: `${column} of epoch ${epoch}`, checks: [judged] }];
  });
}

const isStatistic = (name: string): boolean => /\.running_(mean|var)$/.test(name);

/** What an epoch left behind: its weights and buffers, then the average's, where there is one. */
function states(run: ObservedRun, record: Record, epoch: number): Verdict[] {
  const { section, arrays } = record;
  const checkpoint = run.checkpoints.get(epoch);
  const relativeL2 = Math.max(
    tolerances.relativeL2,
    tolerances.lossFloorFactor * section.noise.tensors[epoch - 1],
  );
  const judge = (group: string, found: TensorMap | undefined): Verdict[] => {
    const names = recordedNames(arrays, group);
    const inOrder = [...names.filter((n) => !isStatistic(n)), ...names.filter(isStatistic)];
    return inOrder.map((name): Verdict => {
      const value = found?.get(name);
      if (value === undefined)
        return { name: group + name, checks: [], problem: 'missing on our side' };
      const truth = recorded(arrays, group + name)!;
      const tolerance = { relativeL2, bySpread: true };
      const { finding } = byFloat64(value, { kind: 'float64', record: truth, tolerance });
      return { name: group + name, ...finding };
    });
  };
  const averaged = averagedBy(epoch, record);
  const joined = averaged > averagedBy(epoch - 1, record);
  return [
    ...judge(`epoch ${epoch}/`, checkpoint?.weights),
    ...(joined ? judge(`average of ${averaged}/`, checkpoint?.average) : []),
  ];
}
