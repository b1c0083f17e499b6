import type { StageName } from '../../align/manifest.ts';
import type { StageResult } from '../../align/stage.ts';
import type { Trace, TraceError, TraceRow, TraceState } from '../../align/trace.ts';
import { check, passed, type Verdict } from '../../align/verdict.ts';
import type { StepTensorKind } from '../../program/stepOrder.ts';
import type { DiffReport, RunFacts } from '../diffReport.ts';

/* Runs made up by hand, in the proportions that real ones have. */

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
): StageResult => ({
  stage,
  model,
  verdicts,
  notes,
  passed: verdicts.length > 0 && verdicts.every(passed),
  seconds: 1.25,
  inputs: stage === 'forward' ? ['inputs/fake_data.npy'] : [],
  ours: new Map(),
  pytorch: new Map(),
});

export const report = (results: readonly StageResult[], trace?: Trace): DiffReport => ({
  provenance: {
    ours: 'swa-align 0.1.0 on ONNX Runtime 1.30.0, CPU',
    theirs: 'PyTorch 2.13.0+cpu (AVX512)',
    hashes: { 'inputs/fake_data.npy': sha('a'), 'forward.npz': sha('b') },
  },
  versions: { 'swa-align': '0.1.0', node: 'v20.20.2' },
  results,
  ...(trace && { trace }),
});

/** The layers of a VGG16 that have weights, and those between. */
export const layers = [
  ...Array.from({ length: 31 }, (_, i) => `features.${i}`),
  ...Array.from({ length: 7 }, (_, i) => `classifier.${i}`),
];

const measured = (name: string, ours: number, pytorch: number): Verdict => ({
  name,
  checks: [
    check('relative l2', ours, 5e-6, { pytorch }),
    check('moments', ours / 5e-6 / 40, 1, { note: 'largest share of the allowed difference' }),
  ],
  distances: { meanAbs: ours / 8, maxAbs: ours, relativeL2: ours, cosine: 1, maxUlp: 142 },
});

const rising = (i: number): number => 9e-8 * (1 + i / 8);

/** Six stages would be more of the same: these are the ones that speak of layers. */
export const passingReport = report([
  result('forward', [
    {
      name: 'initial weights',
      checks: [check('equal', 0, 0, { note: '32 tensors, by SHA-256' })],
    },
    ...layers.map((name, i) => measured(name, rising(i), rising(i) * 0.9)),
  ]),
  result(
    'backward',
    [0, 1].flatMap((k) =>
      layers
        .filter((_, i) => i % 3 === 0)
        .toReversed()
        .map((name, i) => measured(`iter${k}/${name}.weight.grad`, rising(28 + i), rising(29 + i))),
    ),
    ['kink-free batch: 4 images'],
  ),
]);

export const failingReport = report([
  result('forward', [
    ...layers.map((name, i) => measured(name, i < 20 ? rising(i) : 0.3, rising(i))),
    { name: 'logits', checks: [], problem: 'our element 3 is NaN' },
  ]),
  result('loss', [{ name: 'loss', checks: [check('mean', Number.NaN, 1e-6)] }]),
]);

const error = (ours: number, pytorch: number): TraceError => ({
  ours,
  pytorch,
  ratio: ours / pytorch,
});

/** A row as a run has them: an error that grows along the way, of which the layer adds a part. */
export function traceRow(
  kind: StepTensorKind,
  layer: string,
  i: number,
  state: TraceState = 'agrees',
): TraceRow {
  const suffix: { readonly [K in StepTensorKind]: string } = {
    output: '',
    'output gradient': '.output.grad',
    'weight gradient': '.weight.grad',
  };
  const wrong = state === 'diverges' || state === 'inherits';
  const ours = wrong ? 0.02 : rising(i);
  return {
    kind,
    layer,
    name: `${layer}${suffix[kind]}`,
    shape: [4, 64, 32, 32],
    sampled: i % 2 === 0,
    state,
    ...(state === 'missing'
      ? { problem: 'our model has no such layer' }
      : {
          error: error(ours, rising(i)),
          added: error(state === 'diverges' ? 0.019 : 6e-8, 5e-8),
          limit: { value: 4 * rising(i), why: '4 × PyTorch’s own error' },
          addedLimit: { value: 2e-7, why: '4 × PyTorch’s own error' },
          distances: { meanAbs: ours, maxAbs: ours, relativeL2: ours, cosine: 1, maxUlp: 9 },
        }),
    ...(state === 'flipped'
      ? { flips: [{ layer: 'features.1', element: 1234, margin: 3e-8 }] }
      : {}),
  };
}

export const passingTrace: Trace = {
  model: 'vgg16',
  rows: [
    ...layers.map((layer, i) => traceRow('output', layer, i)),
    ...layers.toReversed().map((layer, i) => traceRow('output gradient', layer, 38 + i)),
    ...layers.toReversed().map((layer, i) => traceRow('weight gradient', layer, 38 + i)),
  ],
  notes: ['one step on the kink-free batch'],
};

/** One layer wrong in the backward pass, everything after it inherits; a flip, an override and a missing one besides. */
export const divergingTrace: Trace = {
  model: 'vgg16',
  rows: passingTrace.rows.map((row, i): TraceRow => {
    const again = (state: TraceState): TraceRow => traceRow(row.kind, row.layer, i, state);
    if (i === 5) return again('flipped');
    if (i === 60) return again('diverges');
    if (i === 90) return again('missing');
    if (i === 12)
      return {
        ...row,
        limit: { value: 1e-5, why: 'overridden: summed in another order on this machine' },
      };
    return i > 60 && i < 76 ? again('inherits') : row;
  }),
  firstDivergence: 60,
  notes: ['planted: ReLU’s gradient passed on at negative inputs'],
};
