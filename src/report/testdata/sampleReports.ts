import type { Expectation, Rule } from '../../align/judge/expectation.ts';
import { judge } from '../../align/judge/judge.ts';
import type { Verdict } from '../../align/judge/verdict.ts';
import type { StageName } from '../../align/reference/manifest.ts';
import type { RecordedTensor } from '../../align/reference/recorded.ts';
import { gather, momentsOf, samplePositions } from '../../align/reference/samplePositions.ts';
import { expectedWeights, weightDigests } from '../../align/stages/sameStart.ts';
import { type StageResult, stageResult } from '../../align/stages/stage.ts';
import { type PlannedRow, tracePlan } from '../../align/trace/plan.ts';
import { judgeRow, type RowEvidence } from '../../align/trace/row.ts';
import { type Trace, type TraceRow, traceOf } from '../../align/trace/trace.ts';
import { diagnosedBy } from '../../diagnose/judged.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { layerWords } from '../../nn/layerWords.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import { bytesOf, type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import type { DiffReport, RunFacts } from '../diffReport.ts';

/* Runs whose numbers are made up, in the proportions that real ones have, and whose verdicts are the judges' own. */

const sha = (digit: string): string => digit.repeat(64);

export const facts: RunFacts = {
  time: new Date('2026-11-24T10:20:30Z'),
  command: 'swa-align diff --model vgg16',
};

export const result = (
  stage: StageName,
  verdicts: readonly Verdict[],
  notes: readonly string[] = [],
  model = 'vgg16',
): StageResult<string> => {
  const inputs = stage === 'forward' ? ['inputs/fake_data.npy'] : [];
  return stageResult(
    stage,
    { verdicts, notes, inputs, ours: new Map(), pytorch: new Map() },
    { model, seconds: 1.25 },
  );
};

export const report = (results: readonly StageResult<string>[], trace?: Trace): DiffReport => ({
  provenance: {
    ours: 'swa-align 0.1.0 on ONNX Runtime 1.30.0, CPU',
    theirs: 'PyTorch 2.13.0+cpu (AVX512)',
    hashes: { 'inputs/fake_data.npy': sha('a'), 'forward.npz': sha('b') },
  },
  versions: { 'swa-align': '0.1.0', node: 'v20.20.2' },
  results,
  layers: layerWords(vgg({ depth: 16, batchNorm: false, classes: 10 })),
  ...(trace && { trace }),
});

const optimizer = { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;
const plan = tracePlan(
  trainingStep(vgg({ depth: 16, batchNorm: false, classes: 10, narrow: 64 }), {
    images: [1, 3, 32, 32],
    dropout: true,
    optimizer,
  }),
);

/** The layers of a VGG16 in the order in which they run. */
export const layers = plan.flatMap(({ kind, layer }) => (kind === 'output' ? [layer] : []));

const size = 64;
const sampled = samplePositions(size, 16);
const single = Float32Array.from({ length: size }, (_, i) => Math.sin(1 + i));

/** A tensor `ours` from the truth, from which PyTorch's float32 is `pytorch`; the reference holds a sample of it. */
function apart(
  ours: number,
  pytorch: number,
): { readonly ours: Tensor; readonly record: RecordedTensor } {
  const truth = Float64Array.from(single, (v) => v / (1 + pytorch));
  const whole = tensor('float64', [size], truth);
  const record = {
    pytorch: gather(tensor('float32', [size], single), sampled),
    truth: gather(whole, sampled),
    moments: momentsOf(whole),
  };
  return {
    ours: tensor(
      'float64',
      [size],
      truth.map((v) => v * (1 + ours)),
    ),
    record,
  };
}

const verdictOn = (name: string, found: Tensor, rule: Rule): Verdict =>
  judge({ recording: new Map([[name, found]]) }, [{ name, rule }]).verdicts[0];

const judged = (name: string, ours: number, pytorch: number): Verdict => {
  const { ours: found, record } = apart(ours, pytorch);
  const rule = { kind: 'float64', record, tolerance: { relativeL2: 5e-6 } } as const;
  return verdictOn(name, found, rule);
};

const weights = new Map([['w', tensor('float32', [size], single)]]);
const digests = { w: sha256Hex(bytesOf(weights.get('w')!)) };

const rising = (i: number): number => 9e-8 * (1 + i / 8);

/** Six stages would be more of the same: these are the ones that speak of layers. */
export const passingReport = report([
  result('forward', [
    judge(weightDigests(weights, digests), [expectedWeights(digests)]).verdicts[0],
    ...layers.map((name, i) => judged(name, rising(i), rising(i) * 0.9)),
  ]),
  result(
    'backward',
    [0, 1].flatMap((k) =>
      plan
        .filter(({ kind }) => kind === 'weight gradient')
        .map(({ name }, i) => judged(`iter${k}/${name}`, rising(28 + i), rising(29 + i))),
    ),
    ['kink-free batch: 4 images'],
  ),
]);

const none = Number.NaN;

export const failingReport = report([
  result('forward', [
    ...layers.map((name, i) => judged(name, i < 20 ? rising(i) : 0.3, rising(i))),
    judged('logits', none, rising(38)),
  ]),
  result('loss', [
    verdictOn('loss', tensor('float32', [], Float32Array.of(none)), {
      kind: 'distance',
      method: 'mean',
      to: tensor('float32', [], Float32Array.of(2.3)),
      threshold: 1e-6,
    }),
  ]),
]);

/** What a row's tensor and its layer are off by. */
interface RowErrors {
  readonly ours: number;
  readonly pytorch: number;
  readonly adds: number;
}

/** An error over a truth of norm one. */
const off = (error: number): Tensor => tensor('float64', [2], Float64Array.of(1, error));

const rowOf = (
  planned: PlannedRow,
  { ours: error, pytorch, adds }: RowErrors,
  more: Partial<RowEvidence> = {},
): TraceRow => {
  const { ours, record } = apart(error, pytorch);
  return judgeRow({
    planned,
    ours,
    record: { record, added: 5e-8 },
    proof: { proven: true },
    alone: { ours: off(adds), truth: off(0) },
    inputsAgree: true,
    allBeforeAgree: true,
    bar: 5e-6,
    ...more,
  });
};

/** A row as a run has them: an error that grows along the way, of which the layer adds a part. */
const usual = (i: number): RowErrors => ({ ours: rising(i), pytorch: rising(i), adds: 6e-8 });

export const passingTrace = traceOf(
  'vgg16',
  plan.map((planned, i) => rowOf(planned, usual(i))),
  ['one step on the kink-free batch'],
);

const at = (name: string): number => plan.findIndex((planned) => planned.name === name);
const [flipped, byHand, wrong, gone] = [
  'features.5',
  'features.12',
  'features.15.output.grad',
  'features.0.weight.grad',
].map(at);

/** One adjoint wrong, everything after it inherits, up to an absent tensor; also a flip and a limit by hand. */
export const divergingTrace = traceOf(
  'vgg16',
  plan.map((planned, i): TraceRow => {
    if (i === flipped) {
      const flips = [{ layer: 'features.1', element: 1234, margin: 3e-8 }];
      const imposed = { truth: apart(0.02, rising(i)).ours, flips };
      return rowOf(planned, { ...usual(i), ours: 0.02 }, { imposed });
    }
    if (i === byHand) {
      const reason = 'summed in another order on this machine';
      const override = { tensor: planned.name, limit: 1e-5, reason };
      return rowOf(planned, { ...usual(i), ours: 8e-6 }, { override });
    }
    if (i === gone) return rowOf(planned, { ...usual(i), ours: none });
    if (i < wrong) return rowOf(planned, usual(i));
    const off = { ...usual(i), ours: 0.02 };
    return i === wrong
      ? rowOf(planned, { ...off, adds: 0.019 })
      : rowOf(planned, off, { inputsAgree: false, allBeforeAgree: false });
  }),
  ['planted: ReLU’s gradient passed on at negative inputs'],
);

const batch = 128;

/** The gradients of three layers summed over the batch, and a fourth that is off by its own doing. */
export const causedReport = (): DiffReport => {
  const gradients = ['features.3', 'features.1', 'features.0'].map((layer, k) => {
    const { ours, record } = apart(rising(k), rising(k));
    const summed = tensor(
      'float64',
      [size],
      toFloat64(ours).map((v) => v * batch),
    );
    return { name: `iter0/${layer}.weight.grad`, layer, ours: summed, record };
  });
  const wild = apart(0, rising(3));
  const strange = toFloat64(wild.ours).map((v, i) => v + Math.cos(i * i));
  const all = [
    ...gradients,
    {
      name: 'iter0/features.0.bias.grad',
      layer: 'features.0',
      ours: tensor('float64', [size], strange),
      record: wild.record,
    },
  ];
  const recording = new Map(all.map(({ name, ours }) => [name, ours]));
  const expectations = all.map(({ name, layer, record }): Expectation => {
    const rule = { kind: 'float64', record, tolerance: { relativeL2: 5e-6 } } as const;
    return { name, layer, rule };
  });
  const { verdicts } = judge({ recording }, expectations);
  return report([
    result('backward', diagnosedBy(verdicts, [{ recording, expectations }], { batch })),
  ]);
};
