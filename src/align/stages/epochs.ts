import { sha256Hex } from '../../io/sha256.ts';
import { type Tensor, type TensorMap, tensor, toFloat32, toFloat64 } from '../../tensor/tensor.ts';
import type { LogRow } from '../../train/logRow.ts';
import { judgeRecorded, recorded, recordedNames } from '../recorded.ts';
import { arrayOf } from '../reference.ts';
import { judgeWeights } from '../seedWeights.ts';
import type { Stage, StageFindings } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { check, type Verdict } from '../verdict.ts';
import { inTurn, merged, nothing } from './parts.ts';
import { type EpochsSection, type ObservedRun, smallRun } from './smallRun.ts';

/** What PyTorch recorded, as each part of the judgement reads it. */
interface Record {
  readonly section: EpochsSection;
  readonly arrays: TensorMap;
  readonly file: string;
}

const stepsAnEpoch = ({ settings }: EpochsSection): number =>
  Math.ceil(settings.images / settings.batch);

/**
 * A small run from its first draw to its last average, once in one go and once stopped amid an epoch and
 * resumed. What is drawn or decided (order, pixels, masks, rates, which epochs join the average, the
 * generator) must be PyTorch's to the bit; what is computed may part from the truth ten times as far as
 * PyTorch, adding up in other orders, does.
 */
export const epochs: Stage = async (context) => {
  const { reference } = context;
  const section = reference.stage('epochs');
  const record: Record = { section, arrays: reference.arrays(section.file), file: section.file };
  // Amid the epoch after the first join: momenta, an average and half an epoch's sums have to be carried.
  const stopAfter = section.settings.swa_start * stepsAnEpoch(section) + 1;
  const found = await inTurn(context, [
    async () => judgeRun(await smallRun(context, section), record, 0, ''),
    async () =>
      judgeRun(await smallRun(context, section, stopAfter), record, stopAfter, 'resumed: '),
  ]);
  return {
    ...found,
    inputs: Object.keys(reference.manifest.inputs).filter((path) => path.endsWith('.bin')),
    notes: [
      `${section.settings.epochs} epochs of ${stepsAnEpoch(section)} steps, ${section.settings.epochs - section.settings.swa_start + 1} averaged; the second run stopped after ${stopAfter} steps`,
    ],
  };
};

/** The verdicts on a run from step `from` on. */
function judgeRun(run: ObservedRun, record: Record, from: number, prefix: string): StageFindings {
  const parts = [
    ...(from === 0 ? [weightsDrawn(run, record)] : []),
    ...whatWasFed(run, record, from),
    decisions(run, record, from),
    ...refreshPasses(run, record, from),
    generators(run, record, from),
  ].map((v) => ({ ...v, name: prefix + v.name }));
  return merged([
    { ...nothing, verdicts: parts },
    losses(run, record, from, prefix),
    log(run, record, prefix),
    tensors(run, record, from, prefix),
  ]);
}

const weightsDrawn = ({ checkpoints }: ObservedRun, { section }: Record): Verdict => {
  const found = checkpoints.get(0)?.weights ?? new Map();
  // A backend in float64 holds the same numbers in other bytes.
  const drawn = new Map(
    [...found]
      .filter(([name]) => !name.endsWith('.num_batches_tracked'))
      .map(([name, t]) => [name, tensor('float32', t.shape, toFloat32(t))]),
  );
  return judgeWeights(drawn, section.weights.sha256);
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
  const { images, batch } = section.settings;
  const place = (i: number): string => {
    const step = from + i;
    return `epoch ${Math.floor(step / each) + 1}, step ${(step % each) + 1}`;
  };
  const sizes = section.steps.map((_, step) => Math.min(batch, images - (step % each) * batch));
  const rates = [...toFloat64(arrayOf(arrays, 'lr', file))];
  type Part = keyof EpochsSection['steps'][number];
  const digests = (part: Part): [string, string[], string[]] => [
    part,
    fed.map((step) => step.digests[part]),
    section.steps.map((step) => step[part]),
  ];
  const parts: [string, (number | string)[], (number | string)[]][] = [
    ['batch sizes', fed.map((step) => step.images), sizes],
    ['learning rate', fed.map((step) => step.lr), rates],
    digests('labels'),
    digests('images'),
    digests('mask0'),
    digests('mask1'),
  ];
  return parts
    .map(([name, ours, theirs]) => ({ name, ours, theirs: theirs.slice(from) }))
    .map((part) => ({ ...part, at: parting(part.ours, part.theirs) }))
    .sort((a, b) => (a.at === b.at ? 0 : a.at - b.at))
    .map(({ name, ours, theirs }) => sameList(name, ours, theirs, place));
}

/** The images that batch norm's statistics were drawn from, pass by pass. */
function refreshPasses({ refreshes }: ObservedRun, { section }: Record, from: number): Verdict[] {
  const done = Math.floor(from / stepsAnEpoch(section));
  const before = Math.max(0, done - section.settings.swa_start + 1);
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

function losses(run: ObservedRun, record: Record, from: number, prefix: string): StageFindings {
  const { section, arrays, file } = record;
  const name = `${prefix}losses`;
  const theirs = arrayOf(arrays, 'f32/losses', file);
  const truth = toFloat64(arrayOf(arrays, 'f64/losses', file));
  const ours = Float32Array.from(run.losses);
  const verdicts = Array.from(truth.slice(from), (value, i): Verdict => {
    const floor = section.noise.steps[from + i];
    const error = Math.abs((run.losses[i] ?? Number.NaN) - value);
    const note = `to float64; PyTorch from itself ${floor.toExponential(1)}`;
    return {
      name: `${prefix}loss@${from + i}`,
      checks: [check('mean', error, bound(floor), { note })],
    };
  });
  return {
    ...nothing,
    verdicts,
    ours: new Map([[name, tensor('float32', [ours.length], ours)]]),
    pytorch: new Map([
      [name, { ...theirs, data: theirs.data.slice(from), shape: [truth.length - from] } as Tensor],
    ]),
  };
}

const columns = [
  'trainLoss',
  'trainAccuracy',
  'testLoss',
  'testAccuracy',
  'swaTestLoss',
  'swaTestAccuracy',
] as const satisfies readonly (keyof LogRow)[];

/** The log: which epochs have an entry, and what it says. */
function log(
  { rows }: ObservedRun,
  { section, arrays, file }: Record,
  prefix: string,
): StageFindings {
  const verdicts = columns.flatMap((column): Verdict[] => {
    const at = [...toFloat64(arrayOf(arrays, `epochs/${column}`, file))];
    const truth = toFloat64(arrayOf(arrays, `f64/${column}`, file));
    const entries = rows.filter((row) => row[column] !== undefined);
    const name = `${prefix}${column}`;
    const same = sameList(
      `${name} is told`,
      entries.map(({ epoch }) => epoch),
      at,
      (i) => `epoch ${at[i] ?? entries[i]?.epoch}`,
    );
    const values = at.map((epoch, i): Verdict => {
      const value = rows.find((row) => row.epoch === epoch)?.[column] ?? Number.NaN;
      const error = Math.abs(value - truth[i]);
      const judged = column.endsWith('Loss')
        ? check('mean', error, bound(section.noise.losses[epoch - 1]))
        : check('equal', error < 1e-9 ? 0 : 1, 0, { note: `${value} against ${truth[i]}` });
      return { name: `${name} of epoch ${epoch}`, checks: [judged] };
    });
    return [same, ...values];
  });
  return { ...nothing, verdicts };
}

/** Weights and buffers after every epoch, then every average. */
function tensors(run: ObservedRun, record: Record, from: number, prefix: string): StageFindings {
  const { section, arrays } = record;
  const done = Math.floor(from / stepsAnEpoch(section));
  const { epochs: all, swa_start: start } = section.settings;
  const parts: StageFindings[] = [];
  const judge = (group: string, found: TensorMap | undefined, epoch: number): void => {
    const relativeL2 = Math.max(
      tolerances.relativeL2,
      tolerances.lossFloorFactor * section.noise.tensors[epoch - 1],
    );
    const judged = recordedNames(arrays, group).map((name) => {
      const key = prefix + group + name;
      const value = found?.get(name);
      if (value === undefined) {
        return { verdict: { name: key, checks: [], problem: 'missing on our side' } as Verdict };
      }
      const tolerance = { relativeL2, bySpread: true };
      return judgeRecorded(key, value, recorded(arrays, group + name)!, tolerance);
    });
    parts.push({
      ...nothing,
      verdicts: judged.map((j) => j.verdict),
    });
  };
  for (let epoch = done + 1; epoch <= all; epoch++) {
    judge(`epoch ${epoch}/`, run.checkpoints.get(epoch)?.weights, epoch);
  }
  for (let epoch = Math.max(done + 1, start); epoch <= all; epoch++) {
    judge(`average of ${epoch - start + 1}/`, run.checkpoints.get(epoch)?.average, epoch);
  }
  return merged(parts);
}
