import type { Reference } from '../../src/align/reference/reference.ts';
import { type Tensor, tensor, toFloat32, toFloat64 } from '../../src/tensor/tensor.ts';
import { digests, type Gate, namesIn, toTruth } from './gate.ts';

const numbers = (values: readonly number[]): Tensor =>
  tensor('float64', [values.length], Float64Array.from(values));

const equal = (name: string, to: Tensor): Gate => ({ name, by: 'equal', to });

/** What must be told of so many ranks. */
function among(reference: Reference, ranks: number): Gate[] {
  const { file, settings: held, ranks: sections } = reference.stage('ddp');
  const { settings, steps, noise, evaluation, refresh, weights } = sections[ranks];
  const arrays = reference.arrays(file);
  const group = `${ranks} ranks`;
  const list = (key: string): number[] => [...toFloat64(arrays.get(key)!)];
  const all = (part: (step: (typeof steps)[number][number]) => string): Tensor =>
    digests(steps.flat().map(part));

  const samples = arrays.get(`${group}/samples`)!;
  const each = steps[0].length / settings.epochs;
  const own = samples.shape[2];
  const sizes = steps.flatMap((ofRank) =>
    ofRank.map((_, k) => Math.min(settings.batch, own - (k % each) * settings.batch)),
  );
  const shapes = reference.model.state.filter(({ role }) => role === 'parameter');
  const means = Array.from({ length: held.steps }, (_, k) => k + 1).flatMap((step) => {
    let at = 0;
    const mean = toFloat32(arrays.get(`${group}/step ${step}/mean`)!);
    return shapes.map(({ name, shape }) => {
      const size = shape.reduce((n, extent) => n * extent, 1);
      const count = size > held.whole ? held.sample : size;
      const row = [...mean.slice(at, at + count)];
      at += count;
      const rows = Float32Array.from(Array.from({ length: ranks }, () => row).flat());
      return equal(`${group}, step ${step}/${name}.grad`, tensor('float32', [ranks, count], rows));
    });
  });
  const losses = list(`f32/${group}/losses`).map((value, i): Gate => {
    const step = Math.floor(i / ranks);
    const to = tensor('float32', [], Float32Array.of(value));
    const threshold = Math.max(1e-6, 10 * noise.steps[step]);
    return { name: `loss@${step} of rank ${i % ranks}`, by: 'mean', to, threshold };
  });
  const as0 = Object.keys(weights.sha256).length * steps[0].length;
  const others = Array.from({ length: ranks - 1 }, (_, i) => i + 1);
  const bar = Math.max(5e-6, 10 * noise.tensors);
  const left = [group, ...others.map((r) => `${group}, rank ${r}`), `${group}, average`].flatMap(
    (of) =>
      namesIn(arrays, `${of}/`)
        .filter((name) => name.includes('.'))
        .map((name): Gate => {
          const { one: _, ...gate } = toTruth(`${of}/${name}`, arrays, `${of}/${name}`, { bar });
          return gate as Gate;
        }),
  );
  const found = ['test', 'swaTest'].flatMap((set): Gate[] => [
    {
      name: `${set}Loss`,
      by: 'mean',
      to: numbers(list(`f64/${group}/${set}Loss`)),
      threshold: Math.max(1e-6, 10 * noise.losses),
    },
    {
      ...equal(`${set}Accuracy`, numbers(list(`f64/${group}/${set}Accuracy`))),
      within: 1e-9,
    } as Gate,
  ]);
  const thrice = (part: 'labels' | 'images'): Tensor =>
    digests([evaluation, evaluation, evaluation].flat().map((batch) => batch[part]));
  const told: Gate[] = [
    equal(
      'samples',
      tensor('int64', [ranks * settings.epochs, own], samples.data as BigInt64Array),
    ),
    equal('batch sizes', numbers(sizes)),
    equal(
      'labels',
      all(({ labels }) => labels),
    ),
    equal(
      'images',
      all(({ images }) => images),
    ),
    equal(
      'mask0',
      all(({ mask0 }) => mask0!),
    ),
    equal(
      'mask1',
      all(({ mask1 }) => mask1!),
    ),
    equal('initial weights', digests(Object.values(weights.sha256))),
    ...others.map((rank) =>
      equal(
        `weights and buffers of rank ${rank}`,
        tensor('uint8', [as0], new Uint8Array(as0).fill(1)),
      ),
    ),
    ...losses,
    equal('batch-norm refresh', digests(refresh)),
    equal('test labels', thrice('labels')),
    equal('test images', thrice('images')),
    ...found,
  ];
  return [...told.map((gate) => ({ ...gate, name: `${group}: ${gate.name}` })), ...means, ...left];
}

/** On each number of ranks. */
export const ddp = (reference: Reference): Gate[] =>
  Object.keys(reference.stage('ddp').ranks).flatMap((ranks) => among(reference, Number(ranks)));
