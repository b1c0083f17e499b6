import { hasBatchNorm } from '../../program/batchNormRefresh.ts';
import { gradientOf } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import { type Tensor, type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import { feedsOf, initialTrainingState } from '../../train/trainingState.ts';
import { meanAbsBar } from '../orderOfOne.ts';
import {
  judgeRecorded,
  type Recorded,
  recorded,
  recordedNames,
  type Tolerance,
} from '../recorded.ts';
import { arrayOf } from '../reference.ts';
import type { StageContext, StageFindings } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { check, type Verdict } from '../verdict.ts';

interface Batch {
  readonly images: Tensor<'float32'>;
  readonly labels: Tensor<'int64'>;
  /** One [iterations, n, width] a dropout layer. */
  readonly masks: readonly Tensor<'uint8'>[];
}

function batchOf(arrays: TensorMap, file: string, dropouts: number): Batch {
  const get = (key: string): Tensor => arrayOf(arrays, key, file);
  return {
    images: get('images') as Tensor<'float32'>,
    labels: get('labels') as Tensor<'int64'>,
    masks: Array.from({ length: dropouts }, (_, i) => get(`mask${i}`) as Tensor<'uint8'>),
  };
}

/** The masks of iteration `k`. */
const masksAt = ({ masks }: Batch, k: number): Uint8Array[] =>
  masks.map(({ data, shape: [, n, width] }) => data.subarray(k * n * width, (k + 1) * n * width));

const rms = (t: Tensor): number => {
  const values = toFloat64(t);
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
};

/**
 * The batch chosen so that no ReLU input and no pooling winner is near its kink in any iteration: there
 * rounding flips no decision, and every gradient, and every weight, momentum and buffer at the end, must
 * be within a few roundings of the float64 truth.
 */
export async function kinkFreeBatch(
  { backend, reference }: StageContext,
  weights: TensorMap,
): Promise<StageFindings> {
  const { file, kinkfree } = reference.stage('backward');
  const { settings, cancelled } = kinkfree;
  const arrays = reference.arrays(file);
  const { model } = reference;
  const batch = batchOf(reference.arrays(kinkfree.batch), kinkfree.batch, model.dropouts.length);
  const program = trainingStep(model, {
    images: batch.images.shape,
    momentum: settings.momentum,
    weightDecay: settings.weight_decay,
    dropout: settings.dropout > 0,
  });
  const gradients = model.state
    .filter((s) => s.role === 'parameter')
    .map((s) => gradientOf(s.name));
  const executable = await backend.compile(program, ['loss', ...gradients]);
  const state = await backend.upload(initialTrainingState(model, weights));

  const verdicts: Verdict[] = [];
  const ours = new Map<string, Tensor>();
  const pytorch = new Map<string, Tensor>();
  const relativeL2 = hasBatchNorm(model) ? tolerances.relativeL2BatchNorm : tolerances.relativeL2;

  /** A bias that batch norm cancels is measured by the weight it belongs to. */
  const toleranceFor = (prefix: string, name: string): Tolerance => {
    const bias = cancelled.find((b) => name === b || name.startsWith(`${b}.`));
    if (bias === undefined) return { relativeL2 };
    const partner = name.replace(bias, bias.replace(/bias$/, 'weight'));
    const scale = recorded(arrays, `${prefix}${partner}`);
    if (scale === undefined) return { relativeL2 };
    return { relativeL2, scale: { value: rms(scale.truth), what: `RMS of ${partner}` } };
  };
  const judge = (prefix: string, found: TensorMap): void => {
    const expected = recordedNames(arrays, prefix);
    for (const name of new Set([...expected, ...found.keys()])) {
      if (name === 'loss') continue;
      const [value, record] = [found.get(name), recorded(arrays, prefix + name)];
      const key = prefix + name;
      if (value === undefined || record === undefined) {
        const side = value === undefined ? 'on our side' : "on PyTorch's side";
        verdicts.push({ name: key, checks: [], problem: `missing ${side}` });
        continue;
      }
      const judged = judgeRecorded(key, value, record, toleranceFor(prefix, name));
      verdicts.push(judged.verdict);
      ours.set(key, judged.ours);
      pytorch.set(key, judged.pytorch);
    }
  };

  for (let k = 0; k < settings.iterations; k++) {
    const step = { ...batch, masks: masksAt(batch, k) };
    const results = await executable.run(state, feedsOf(step, settings.lr));
    const { loss, ...rest } = Object.fromEntries(results);
    const records = [k, 0].map((i) => recorded(arrays, `iter${i}/loss`));
    verdicts.push(judgeLoss(`iter${k}/loss`, loss, records[0], records[1]));
    judge(`iter${k}/`, new Map(Object.entries(rest)));
  }
  judge('final/', await backend.download(state));
  await executable.dispose();
  await backend.free(state);
  return {
    verdicts,
    ours,
    pytorch,
    inputs: [],
    notes: [
      `kink-free batch: ${settings.images} images, every decision at least ${kinkfree.smallest_margin.toExponential(1)} of its layer's RMS and ${settings.noise_factor} times its float32 noise from its kink`,
    ],
  };
}

/**
 * A loss against PyTorch's float32: by the bar for losses, or four times PyTorch's own distance to the
 * truth where that is more (on the batch-norm model PyTorch's own second loss is 6e-7 off). Steps on gradients
 * that are relatively off by the bar for them move the loss by as much of what they have changed since the
 * `first`, to first order.
 */
function judgeLoss(
  name: string,
  ours: Tensor,
  record: Recorded | undefined,
  first: Recorded | undefined,
): Verdict {
  if (record === undefined || first === undefined)
    return { name, checks: [], problem: "missing on PyTorch's side" };
  const [value, pytorch, truth] = [ours, record.pytorch, record.truth].map((t) => toFloat64(t)[0]);
  const own = Math.abs(pytorch - truth);
  const change = Math.abs(truth - toFloat64(first.truth)[0]);
  const bound = Math.max(
    meanAbsBar(record.pytorch),
    tolerances.lossNoiseFactor * own,
    tolerances.relativeL2 * change,
  );
  const note = `from float64: ours ${Math.abs(value - truth).toExponential(1)}, PyTorch's ${own.toExponential(1)}`;
  return { name, checks: [check('mean', Math.abs(value - pytorch), bound, { note })] };
}
