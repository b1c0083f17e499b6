import type { StageName } from '../../src/align/reference/manifest.ts';
import type { Reference } from '../../src/align/reference/reference.ts';
import { startingWeights } from '../../src/align/reference/seedWeights.ts';
import { type Tensor, tensor, toFloat64 } from '../../src/tensor/tensor.ts';
import { ddp } from './ddpGates.ts';
import { epochs } from './epochGates.ts';
import {
  arrayIn,
  type Bars,
  constant,
  digests,
  type Gate,
  initialWeights,
  namesIn,
  sampledAt,
  toTruth,
  type Ulps,
} from './gate.ts';

const meanAbs = 1e-6;

type Gates = (reference: Reference) => Gate[];

const ops: Gates = (reference) => {
  const arrays = reference.arrays('ops.npz');
  return namesIn(arrays).map((name) =>
    arrays.has(`f64/${name}`)
      ? toTruth(name, arrays, name, {
          bar: name.includes('1024 deviations') ? 1024 * 2 ** -24 : 5e-6,
        })
      : { name, by: 'equal', to: arrays.get(`f32/${name}`)! },
  );
};

const forward: Gates = (reference) => {
  const arrays = reference.arrays('forward.npz');
  return namesIn(arrays).map((name) =>
    toTruth(name, arrays, name, { bar: 5e-6, ...(name === 'logits' && { mean: meanAbs }) }),
  );
};

const metric: Gates = (reference) => {
  const of = (name: string): Tensor => reference.arrays('metric.npz').get(`f32/${name}`)!;
  const { batches = [] } = reference.stage('metric');
  const fed = (['labels', 'images'] as const).map(
    (part): Gate => ({ name: part, by: 'equal', to: digests(batches.map((b) => b[part])) }),
  );
  return [
    ...(batches.length === 0 ? [] : fed),
    { name: 'logits', by: 'relative l2', to: of('logits'), threshold: 5e-6 },
    { name: 'predictions', by: 'equal', to: of('predictions') },
    { name: 'accuracy', by: 'equal', to: of('accuracy') },
    { name: 'loss', by: 'mean', to: of('loss'), threshold: meanAbs },
  ];
};

const loss: Gates = (reference) => [
  {
    name: 'loss',
    by: 'mean',
    to: reference.arrays('loss.npz').get('f32/loss')!,
    threshold: meanAbs,
  },
];

/** Weights and momenta as they change by PyTorch's gradients, at the recorded elements, and the largest terms. */
function stepsOf(reference: Reference): readonly (readonly [string, Omit<Ulps, 'by'>])[][] {
  const { iterations, lr, momentum, weight_decay } = reference.stage('backward').kinkfree.settings;
  const arrays = reference.arrays('backward.npz');
  const given = new Map([...startingWeights({ reference }), ...reference.arrays('kinkfree.npz')]);
  const after = Array.from({ length: iterations }, (): [string, Omit<Ulps, 'by'>][] => []);
  for (const { name, role } of reference.model.state) {
    if (role !== 'parameter') continue;
    const start = toFloat64(given.get(`weights/${name}`) ?? given.get(name)!);
    const sample = arrays.get(`f32/final/${name}#sample`);
    const at = sample && sampledAt(start.length, sample.data.length);
    const weight = at ? Float64Array.from(at, (i) => start[i]) : start.slice();
    const buffer = weight.map(() => 0);
    const scales = [weight.map(Math.abs), buffer.slice()];
    for (const [k, results] of after.entries()) {
      const gradient = toFloat64(arrayIn(arrays, `f32/iter${k}/${name}.grad`));
      for (const [i, g] of gradient.entries()) {
        buffer[i] = momentum * buffer[i] + g + weight_decay * weight[i];
        weight[i] -= lr * buffer[i];
        scales[0][i] = Math.max(scales[0][i], Math.abs(weight[i]));
        scales[1][i] = Math.max(scales[1][i], Math.abs(buffer[i]), Math.abs(g));
      }
      const near = (of: Float64Array) => ({ values: of.slice(), apart: 1e-4 });
      const [w, m] = scales.map((s) => s.slice());
      results.push([name, { threshold: 4, scales: w, against: near(weight) }]);
      results.push([`${name}.momentum`, { threshold: 4, scales: m, against: near(buffer) }]);
    }
  }
  return after;
}

const backward: Gates = (reference) => {
  const { kinkfree, ncpaddle } = reference.stage('backward');
  const arrays = reference.arrays('backward.npz');
  const trace = reference.arrays('trace.npz');
  const bar = reference.manifest.model === 'vgg16bn' ? 5e-5 : 5e-6;
  const bars: Bars = { bar, cancelled: kinkfree.cancelled };
  const number = (key: string): number => toFloat64(arrays.get(key)!)[0];
  const lossAt = (k: number): Gate => {
    const truth = number(`f64/iter${k}/loss`);
    const pytorch = 4 * Math.abs(number(`f32/iter${k}/loss`) - truth);
    const change = 5e-6 * Math.abs(truth - number('f64/iter0/loss'));
    const threshold = Math.max(meanAbs, pytorch, change);
    return { name: `iter${k}/loss`, by: 'mean', to: arrays.get(`f32/iter${k}/loss`)!, threshold };
  };
  const under = (prefix: string): string[] =>
    namesIn(arrays, prefix).filter((name) => name !== 'loss');
  const steps = stepsOf(reference);
  return [
    ...namesIn(trace).map((name) => toTruth(`layers/${name}`, trace, name, bars)),
    ...under('iter0/').map((name) => toTruth(`layers/${name}`, arrays, `iter0/${name}`, bars)),
    ...steps[steps.length - 1].map(([name, ulps]): Gate => {
      const values = toFloat64(arrayIn(arrays, `f32/final/${name}`));
      return { name: `sgd/${name}`, by: 'ulp', ...ulps, against: { values, apart: 0 } };
    }),
    ...steps.flatMap((results, k): Gate[] => [
      lossAt(k),
      ...under(`iter${k}/`).map((name) =>
        toTruth(`iter${k}/${name}`, arrays, `iter${k}/${name}`, bars),
      ),
      ...(k === steps.length - 1 ? [] : results).map(([name, ulps]): Gate => {
        // On our own gradients: of those that batch norm cancels PyTorch's tell nothing.
        const ours = kinkfree.cancelled.some((bias) => `${name}.`.startsWith(`${bias}.`));
        const { threshold } = ulps;
        return { name: `after iter${k}/${name}`, by: 'ulp', ...(ours ? { threshold } : ulps) };
      }),
    ]),
    ...under('final/').map((name) => toTruth(`final/${name}`, arrays, `final/${name}`, bars)),
    ...(ncpaddle === undefined
      ? []
      : [
          {
            name: 'ncpaddle/losses',
            by: 'mean',
            to: arrays.get('f32/ncpaddle/losses')!,
            threshold: meanAbs,
          } as const,
        ]),
  ];
};

const train: Gates = (reference) => {
  const { steps, noise } = reference.stage('train');
  const parts = Object.keys(steps[0]) as (keyof (typeof steps)[number])[];
  const losses = toFloat64(reference.arrays('train.npz').get('f32/losses')!);
  return [
    ...parts.map(
      (name): Gate => ({ name, by: 'equal', to: digests(steps.map((step) => step[name]!)) }),
    ),
    ...Array.from(losses, (value, k): Gate => {
      const to = tensor('float32', [], Float32Array.of(value));
      const threshold = Math.max(1e-6, 10 * noise.floor[k]);
      return { name: `loss@${k}`, by: 'mean', to, threshold };
    }),
  ];
};

const swa: Gates = (reference) => {
  const arrays = reference.arrays('swa.npz');
  const { average_sha256: average } = reference.stage('swa');
  return [
    ...[...arrays].flatMap(([name, to]): Gate[] =>
      name.startsWith('schedule/') ? [{ name, by: 'equal', to }] : [],
    ),
    ...(average === undefined
      ? []
      : [{ name: 'average to the bit', by: 'equal', to: digests([average]) } as const]),
    ...namesIn(arrays)
      .map((name) => toTruth(name, arrays, name, { bar: 5e-6 }))
      // Biases that are zero in every snapshot.
      .filter((gate) => !(gate.by === 'truth' && constant(gate.truth))),
  ];
};

const stages: { readonly [S in StageName]: Gates } = {
  ops,
  forward,
  metric,
  loss,
  backward,
  train,
  swa,
  epochs,
  ddp,
};

/** Every tensor of the stages of a reference. */
export function gatesOf(reference: Reference): ReadonlyMap<StageName, readonly Gate[]> {
  const held = Object.entries(stages).filter(([name]) => name in reference.manifest.stages);
  return new Map(
    held.map(([name, gates]) => {
      if (name === 'ddp') return [name, gates(reference)];
      const own = name === 'train' || name === 'epochs';
      const { weights } = own ? reference.stage(name) : reference.manifest;
      const found = gates(reference);
      const starts = name !== 'ops' && !found.some((g) => g.name.startsWith('average/'));
      return [name as StageName, [...(starts ? [initialWeights(weights.sha256)] : []), ...found]];
    }),
  );
}
