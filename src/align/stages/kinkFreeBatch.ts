import { gradientOf } from '../../program/program.ts';
import { stepOrder } from '../../program/stepOrder.ts';
import { type Tensor, type TensorMap, toFloat64, zeros } from '../../tensor/tensor.ts';
import { meanAbsBar } from '../orderOfOne.ts';
import { judgeRecorded, type Recorded, recorded, recordedNames } from '../recorded.ts';
import { cancelledScale, recordedBatch, type Scale } from '../recordedBatch.ts';
import type { StageContext, StageFindings } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { updateRule } from '../updateRule.ts';
import { check, passed, type Verdict } from '../verdict.ts';
import { barFor } from '../yardstick.ts';
import { judgeFlipped } from './flippedDecisions.ts';

/**
 * The batch chosen so that no ReLU input and no pooling winner is near its kink in any iteration: there
 * rounding flips no decision, and every gradient, and every weight, momentum and buffer at the end, must
 * be within a few roundings of the float64 truth. Before the losses that hang on it, each update is held against
 * the rule by itself on the same gradients. On a batch that was not chosen so, what differs is
 * looked at again by `judgeFlipped`.
 */
export async function kinkFreeBatch(
  { backend, oracle, reference, flips = false, progress }: StageContext,
  start: TensorMap,
): Promise<StageFindings> {
  const { file, kinkfree } = reference.stage('backward');
  const { settings, cancelled } = kinkfree;
  const { iterations } = settings;
  const arrays = reference.arrays(file);
  const { model } = reference;
  const batch = recordedBatch(reference);
  // From the last layer back, as they are computed: the first that is wrong is the nearest to the mistake.
  const gradients = stepOrder(batch.program).filter(({ kind }) => kind === 'weight gradient');
  const makers = new Map(gradients.map(({ name, layer }) => [name, layer]));
  const executable = await backend.compile(batch.program, ['loss', ...makers.keys()]);
  const state = await backend.upload(start);
  const rule = await updateRule(backend, reference, start);
  const bar = barFor(model);

  const verdicts: Verdict[] = [];
  const whole = new Map<string, Tensor>();
  const ours = new Map<string, Tensor>();
  const pytorch = new Map<string, Tensor>();
  const scaleOf = (key: string): Scale | undefined => {
    const [prefix, name] = key.split(/(?<=\/)/);
    return cancelledScale(cancelled, arrays, prefix, name);
  };
  const judge = (prefix: string, found: TensorMap): void => {
    for (const name of new Set([...found.keys(), ...recordedNames(arrays, prefix)])) {
      if (name === 'loss') continue;
      const [value, record] = [found.get(name), recorded(arrays, prefix + name)];
      const key = prefix + name;
      if (value === undefined || record === undefined) {
        const side = value === undefined ? 'on our side' : "on PyTorch's side";
        verdicts.push({ name: key, checks: [], problem: `missing ${side}` });
        continue;
      }
      const scale = scaleOf(key);
      const tolerance = {
        relativeL2: bar,
        ...(scale === undefined ? {} : { scale }),
      };
      const judged = judgeRecorded(key, value, record, tolerance);
      const layer = makers.get(name);
      verdicts.push(layer === undefined ? judged.verdict : { ...judged.verdict, layer });
      whole.set(key, value);
      ours.set(key, judged.ours);
      pytorch.set(key, judged.pytorch);
    }
  };

  const judgeUpdate = async (k: number, results: TensorMap): Promise<void> => {
    const expected = await rule.step(
      (parameter) =>
        results.get(gradientOf(parameter)) ?? zeros('float32', start.get(parameter)!.shape),
    );
    const found = await backend.download(state, [...expected.keys()]);
    for (const [name, theirs] of expected) {
      const worst = rule.ulps(name, found.get(name)!, theirs);
      const note = 'to the rule by itself on the same gradients';
      const checks = [check('ulp', worst, tolerances.updateUlp, { note })];
      verdicts.push({ name: `after iter${k}/${name}`, checks });
    }
  };

  for (let k = 0; k < iterations; k++) {
    const results = await executable.run(state, batch.feeds(k));
    const records = [k, 0].map((i) => recorded(arrays, `iter${i}/loss`));
    const loss = results.get('loss')!;
    verdicts.push(judgeLoss(`iter${k}/loss`, loss, records[0], records[1]));
    whole.set(`iter${k}/loss`, loss);
    judge(`iter${k}/`, new Map([...makers.keys()].map((name) => [name, results.get(name)!])));
    // The last update is held against PyTorch's own.
    if (k < iterations - 1) await judgeUpdate(k, results);
  }
  judge('final/', await backend.download(state));
  await executable.dispose();
  await rule.dispose();
  await backend.free(state);

  const apart = verdicts.some((v) => !passed(v) && v.problem === undefined && whole.has(v.name));
  const looked =
    apart && oracle !== undefined
      ? await judgeFlipped(
          { backend, oracle, unbounded: flips, ...(progress && { progress }) },
          batch,
          {
            verdicts,
            found: whole,
            arrays,
            scaleOf: (key) => scaleOf(key)?.value,
            start,
            iterations,
            bar,
          },
        )
      : { verdicts, notes: [] };
  return {
    verdicts: looked.verdicts,
    ours,
    pytorch,
    inputs: [],
    notes: [
      `kink-free batch: ${settings.images} images, every decision at least ${kinkfree.smallest_margin.toExponential(1)} of its layer's RMS and ${settings.noise_factor} times its float32 noise from its kink`,
      ...looked.notes,
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
