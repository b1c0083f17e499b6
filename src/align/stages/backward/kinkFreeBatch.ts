import type { Backend } from '../../../backends/backend.ts';
import { releasing } from '../../../backends/holding.ts';
import { gradientOf } from '../../../program/program.ts';
import { stepOrder } from '../../../program/stepOrder.ts';
import { type Tensor, toFloat64, zeros } from '../../../tensor/tensor.ts';
import { judgeFlipped } from '../../branches/flippedDecisions.ts';
import type { Expectation, Rule } from '../../judge/expectation.ts';
import { meanAbsBar } from '../../judge/orderOfOne.ts';
import { tolerances } from '../../judge/tolerances.ts';
import { passed } from '../../judge/verdict.ts';
import { recorded, recordedNames } from '../../reference/recorded.ts';
import { cancelledScale, recordedBatch, type Scale } from '../../reference/recordedBatch.ts';
import type { Reference } from '../../reference/reference.ts';
import { startingWeights } from '../../reference/seedWeights.ts';
import { barFor } from '../modelBar.ts';
import type { Part, PartRun, StageContext } from '../stage.ts';
import { updateRule } from './updateRule.ts';

/**
 * The batch chosen so that no ReLU input and no pooling winner is near its kink in any iteration: there
 * rounding flips no decision, and every gradient, and every weight, momentum and buffer at the end, must
 * be within a few roundings of the float64 truth. Before the losses that depend on it, each update is held against
 * the rule by itself on the same gradients. On a batch that was not chosen so, what differs is
 * looked at again by `judgeFlipped`.
 */
export const kinkFreeBatch: Part = {
  run: (context) => releasing((on) => iterations(context, on(context.backend))),
  expect: ({ reference }, ran) => expectations(reference, ran),
  async review({ backend, oracle, reference, flips = false, progress, ...context }, ran, judged) {
    // What an update is held against is our own: no decision of PyTorch's is in it.
    const found = new Map([...ran.recording].filter(([name]) => !ran.rules?.has(name)));
    const apart = judged.verdicts.some((v) => !passed(v) && found.has(v.name));
    if (oracle === undefined || !apart) return { verdicts: judged.verdicts, notes: [] };
    const { settings } = reference.stage('backward').kinkfree;
    const batch = recordedBatch(reference);
    return judgeFlipped(
      { backend, oracle, unbounded: flips, ...(progress && { progress }) },
      batch,
      {
        verdicts: judged.verdicts,
        found,
        arrays: arraysOf(reference),
        scaleOf: (key) => scaleOf(reference, key)?.value,
        start: batch.start(startingWeights({ reference, ...context })),
        iterations: settings.iterations,
        bar: barFor(reference.model),
      },
    );
  },
};

const arraysOf = (reference: Reference) => reference.arrays(reference.stage('backward').file);

/** From the last layer back, as they are computed: the first that is wrong is the nearest to the mistake. */
const gradientsOf = (reference: Reference) =>
  stepOrder(recordedBatch(reference).program).filter(({ kind }) => kind === 'weight gradient');

const after = (k: number, name: string): string => `after iter${k}/${name}`;

async function iterations(context: StageContext, backend: Backend): Promise<PartRun> {
  const { reference } = context;
  const { settings, smallest_margin: margin } = reference.stage('backward').kinkfree;
  const batch = recordedBatch(reference);
  const gradients = gradientsOf(reference).map(({ name }) => name);
  const start = batch.start(startingWeights(context));
  const executable = await backend.compile(batch.program, ['loss', ...gradients]);
  const state = await backend.upload(start);
  const rule = await updateRule(backend, reference, start);
  const recording = new Map<string, Tensor>();
  const rules = new Map<string, Rule>();
  for (let k = 0; k < settings.iterations; k++) {
    const results = await executable.run(state, batch.feeds(k));
    for (const name of ['loss', ...gradients])
      recording.set(`iter${k}/${name}`, results.get(name)!);
    // The last update is held against PyTorch's own.
    if (k === settings.iterations - 1) break;
    const expected = await rule.step(
      (name) => results.get(gradientOf(name)) ?? zeros('float32', start.get(name)!.shape),
    );
    const found = await backend.download(state, [...expected.keys()]);
    for (const [name, theirs] of expected) {
      recording.set(after(k, name), rule.picked(name, found.get(name)!));
      const because = 'to the rule by itself on the same gradients';
      rules.set(after(k, name), { ...rule.near(name, theirs), because });
    }
  }
  for (const [name, value] of await backend.download(state)) recording.set(`final/${name}`, value);
  return {
    recording,
    rules,
    notes: [
      `kink-free batch: ${settings.images} images, every decision at least ${margin.toExponential(1)} of its layer's RMS and ${settings.noise_factor} times its float32 noise from its kink`,
    ],
  };
}

/** What the error is measured by of a tensor that batch norm cancels. */
function scaleOf(reference: Reference, key: string): Scale | undefined {
  const { cancelled } = reference.stage('backward').kinkfree;
  const [prefix, name] = key.split(/(?<=\/)/);
  return cancelledScale(cancelled, arraysOf(reference), prefix, name);
}

/** Iteration by iteration: its loss, its gradients, its update; then what the last one left. */
function expectations(reference: Reference, { rules = new Map() }: PartRun): Expectation[] {
  const { settings } = reference.stage('backward').kinkfree;
  const arrays = arraysOf(reference);
  const relativeL2 = barFor(reference.model);
  const tensors = (prefix: string, makers: ReadonlyMap<string, string> = new Map()) =>
    [...new Set([...makers.keys(), ...recordedNames(arrays, prefix)])].flatMap(
      (name): Expectation[] => {
        const record = recorded(arrays, prefix + name);
        if (record === undefined || name === 'loss') return [];
        const scale = scaleOf(reference, prefix + name);
        const layer = makers.get(name);
        return [
          {
            name: prefix + name,
            ...(layer === undefined ? {} : { layer }),
            rule: { kind: 'float64', record, tolerance: { relativeL2, ...(scale && { scale }) } },
          },
        ];
      },
    );
  const updates = (k: number): Expectation[] =>
    [...rules].flatMap(([name, rule]) => (name.startsWith(after(k, '')) ? [{ name, rule }] : []));
  const makers = new Map(gradientsOf(reference).map(({ name, layer }) => [name, layer]));
  const steps = Array.from({ length: settings.iterations }, (_, k): Expectation[] => [
    ...lossOf(reference, k),
    ...tensors(`iter${k}/`, makers),
    ...updates(k),
  ]);
  return [...steps.flat(), ...tensors('final/')];
}

/**
 * A loss against PyTorch's float32: by the bar for losses, or four times PyTorch's own distance to the
 * truth where that is more (on the batch-norm model PyTorch's own second loss is 6e-7 off). Steps on gradients
 * that are relatively off by the bar for them move the loss by as much of what they have changed since the
 * first, to first order.
 */
function lossOf(reference: Reference, k: number): Expectation[] {
  const [record, first] = [k, 0].map((i) => recorded(arraysOf(reference), `iter${i}/loss`));
  if (record === undefined || first === undefined) return [];
  const [pytorch, truth, began] = [record.pytorch, record.truth, first.truth].map(
    (t) => toFloat64(t)[0],
  );
  const threshold = Math.max(
    meanAbsBar(record.pytorch),
    tolerances.lossNoiseFactor * Math.abs(pytorch - truth),
    tolerances.relativeL2 * Math.abs(truth - began),
  );
  const rule = {
    kind: 'distance',
    method: 'mean',
    to: record.pytorch,
    threshold,
    beside: record,
  } as const;
  return [{ name: `iter${k}/loss`, rule }];
}
