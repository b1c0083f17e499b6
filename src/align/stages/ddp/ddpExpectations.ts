import { scalar, type Tensor, tensor, toFloat64 } from '../../../tensor/tensor.ts';
import { counted } from '../../../words.ts';
import type { Expectation } from '../../judge/expectation.ts';
import { tolerances } from '../../judge/tolerances.ts';
import { recorded, recordedNames } from '../../reference/recorded.ts';
import { arrayOf, type Reference } from '../../reference/reference.ts';
import { digestRows, expectedWeights } from '../sameStart.ts';
import {
  type DdpRecord,
  heldGradients,
  imagesIn,
  meanName,
  prefixOf,
  recordedMeans,
  stateNames,
  stepCount,
} from './ddpRecord.ts';
import { lossName, stateName } from './ddpRecording.ts';

const same = (
  name: string,
  to: Tensor,
  what: string,
  row: (i: number) => string = String,
): Expectation => ({ name, rule: { kind: 'equality', to, row, what } });

const numberOf = ({ arrays, file }: DdpRecord, key: string): number =>
  toFloat64(arrayOf(arrays, key, file))[0];

/** Which samples each rank has in each epoch, those that fill up included. */
function samples(record: DdpRecord): Expectation {
  const { arrays, file, section } = record;
  const { epochs } = section.settings;
  const all = arrayOf(arrays, `${prefixOf(record)}/samples`, file);
  const rows = tensor('int64', [record.ranks * epochs, all.shape[2]], all.data as BigInt64Array);
  const row = (i: number): string => `epoch ${(i % epochs) + 1} of rank ${Math.floor(i / epochs)}`;
  return same('samples', rows, counted(epochs, 'epoch'), row);
}

/** The mean of PyTorch's own gradients, on every rank to the bit. */
function means(reference: Reference, record: DdpRecord): Expectation[] {
  const { ranks, settings } = record;
  return Array.from({ length: settings.steps }, (_, k) => k + 1).flatMap((step) => {
    const { mean } = recordedMeans(record, step);
    return heldGradients(reference, record).map(({ name, from, count }) => {
      const numbers = mean.slice(from, from + count);
      const rows = new Float32Array(ranks * count);
      for (let r = 0; r < ranks; r++) rows.set(numbers, r * count);
      const to = tensor('float32', [ranks, count], rows);
      return same(
        `${prefixOf(record)}, ${meanName(step, name)}`,
        to,
        `to the bit on ${counted(ranks, 'rank')}`,
        (r) => `rank ${r}`,
      );
    });
  });
}

/** What every rank was fed in every step. */
function fed(record: DdpRecord): Expectation[] {
  const { ranks, section } = record;
  const steps = stepCount(record);
  const place = (i: number): string => `step ${(i % steps) + 1} of rank ${Math.floor(i / steps)}`;
  const what = `${counted(steps, 'step')} of ${counted(ranks, 'rank')}`;
  const sizes = Float64Array.from({ length: ranks * steps }, (_, i) => imagesIn(record, i % steps));
  const parts = (['labels', 'images', 'mask0', 'mask1'] as const).filter(
    (part) => section.steps[0][0][part] !== undefined,
  );
  return [
    same('batch sizes', tensor('float64', [sizes.length], sizes), what, place),
    ...parts.map((part) =>
      same(part, digestRows(section.steps.flat().map((step) => step[part]!)), what, place),
    ),
  ];
}

/** That every rank begins each step with the weights and buffers of rank 0. */
function states(record: DdpRecord): Expectation[] {
  const names = stateNames(record);
  const rows = names.length * stepCount(record);
  const row = (i: number): string =>
    `${names[i % names.length]} before step ${Math.floor(i / names.length) + 1}`;
  const to = tensor('uint8', [rows], new Uint8Array(rows).fill(1));
  const what = `${names.length} tensors before every step as rank 0’s, by SHA-256`;
  return Array.from({ length: record.ranks - 1 }, (_, i) => same(stateName(i + 1), to, what, row));
}

/** One rank's loss of one step, as stage `train` judges it. */
function loss(record: DdpRecord, step: number, rank: number): Expectation {
  const { arrays, file, ranks, section } = record;
  const at = (precision: string): number =>
    toFloat64(arrayOf(arrays, `${precision}/${prefixOf(record)}/losses`, file))[
      step * ranks + rank
    ];
  const pytorch = tensor('float32', [], Float32Array.of(at('f32')));
  const floor = section.noise.steps[step];
  return {
    name: lossName(step, rank),
    rule: {
      kind: 'distance',
      method: 'mean',
      to: pytorch,
      threshold: Math.max(tolerances.lossFloor, tolerances.lossFloorFactor * floor),
      because: `PyTorch from itself ${floor.toExponential(1)}`,
      beside: { pytorch, truth: scalar(at('f64')) },
    },
  };
}

const isStatistic = (name: string): boolean => /\.running_(mean|var)$/.test(name);

/** What a group of tensors is after the last step, as stage `epochs` judges it: weights before statistics. */
function ends({ arrays, section }: DdpRecord, group: string): Expectation[] {
  const relativeL2 = Math.max(
    tolerances.relativeL2,
    tolerances.lossFloorFactor * section.noise.tensors,
  );
  const names = recordedNames(arrays, `${group}/`).filter((name) => name.includes('.'));
  return [...names.filter((n) => !isStatistic(n)), ...names.filter(isStatistic)].map((name) => ({
    name: `${group}/${name}`,
    rule: {
      kind: 'float64',
      record: recorded(arrays, `${group}/${name}`)!,
      tolerance: { relativeL2, bySpread: true },
    },
  }));
}

/** What rank 0 finds on the whole test set. */
function evaluations(record: DdpRecord): Expectation[] {
  const { section } = record;
  const prefix = prefixOf(record);
  // After the first epoch and the last, and of the average.
  const passes = 3;
  const each = section.evaluation.length;
  const place = (i: number): string =>
    `batch ${(i % each) + 1} of pass ${Math.floor(i / each) + 1}`;
  const floor = section.noise.losses;
  const threshold = Math.max(tolerances.lossFloor, tolerances.lossFloorFactor * floor);
  const because = `to float64; PyTorch from itself ${floor.toExponential(1)}`;
  const near = (column: string): Expectation => {
    const to = list(numberOf(record, `f64/${prefix}/${column}`));
    return {
      name: column,
      rule: { kind: 'distance', method: 'mean', to, threshold, because },
    };
  };
  const accuracy = (column: string): Expectation => {
    const to = numberOf(record, `f64/${prefix}/${column}`);
    const rule = { kind: 'equality', to: list(to), what: `${to} %`, within: 1e-9 } as const;
    return { name: column, rule };
  };
  return [
    ...(['labels', 'images'] as const).map((part) =>
      same(
        `test ${part}`,
        digestRows(
          Array.from({ length: passes }, () => section.evaluation.map((b) => b[part])).flat(),
        ),
        `${passes} passes`,
        place,
      ),
    ),
    near('testLoss'),
    accuracy('testAccuracy'),
    near('swaTestLoss'),
    accuracy('swaTestAccuracy'),
  ];
}

const list = (value: number): Tensor => tensor('float64', [1], Float64Array.of(value));

/**
 * What is expected of so many ranks together: whose samples are whose, the mean of gradients that were given, then
 * the run in the order in which it is made.
 */
export function ddpExpectations(reference: Reference, record: DdpRecord): Expectation[] {
  const prefix = prefixOf(record);
  const everyRank = Array.from({ length: record.ranks }, (_, rank) => rank);
  const losses = (from: number, to: number): Expectation[] =>
    Array.from({ length: to - from }, (_, i) => from + i).flatMap((step) =>
      everyRank.map((rank) => loss(record, step, rank)),
    );
  const named = (expectation: Expectation): Expectation => ({
    ...expectation,
    name: `${prefix}: ${expectation.name}`,
  });
  const refresh = digestRows(record.section.refresh);
  return [
    named(samples(record)),
    ...means(reference, record),
    ...[
      ...fed(record),
      expectedWeights(record.section.weights.sha256),
      ...losses(0, 1),
      ...states(record),
    ].map(named),
    // The state before the losses that come of it.
    ...ends(record, prefix),
    ...everyRank.slice(1).flatMap((rank) => ends(record, `${prefix}, rank ${rank}`)),
    ...losses(1, stepCount(record)).map(named),
    named(same('batch-norm refresh', refresh, 'the whole set', (i) => `batch ${i + 1}`)),
    ...ends(record, `${prefix}, average`),
    ...evaluations(record).map(named),
  ];
}
