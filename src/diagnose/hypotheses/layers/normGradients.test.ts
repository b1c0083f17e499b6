import { describe, expect, it } from 'vitest';
import { openReference } from '../../../align/reference/reference.ts';
import { fixturesDirectory } from '../../../fixtures.ts';
import { causeOf } from '../../testdata/told.ts';

const reference = openReference(`${fixturesDirectory}/reference/vgg16`, 'vgg16');
const arrays = reference.arrays(reference.stage('ops').file);
const of = (key: string) => arrays.get(key)!;
/** A batch norm in training, as PyTorch was given it and computed it in float64. */
const given = (key: string) => of(`given/batchNorm in training/${key}`);
const computed = (key: string) => of(`f64/batchNorm in training/${key}`);
const [x, dy, weight] = ['x', 'dy', 'weight'].map((key) => given(key).data as Float32Array);
const { shape } = given('x');
const [images, channels, rows, columns] = shape;
const [map, count] = [rows * columns, images * rows * columns];
const channel = (i: number): number => Math.floor(i / map) % channels;
const what = `BatchNorm2d(${channels}, eps=1e-05, momentum=0.1)`;

const sums = (value: (i: number) => number): number[] =>
  Array.from({ length: channels }, (_, k) =>
    x.reduce((sum, _, i) => sum + (channel(i) === k ? value(i) : 0), 0),
  );
const mean = sums((i) => x[i]).map((s) => s / count);
const deviation = sums((i) => (x[i] - mean[channel(i)]) ** 2).map((s) =>
  Math.sqrt(s / count + 1e-5),
);
const sent = (i: number): number => dy[i] * weight[channel(i)];
const sentMean = sums(sent).map((s) => s / count);

const before = [
  { name: 'a.output', shape, kind: 'output', truth: x } as const,
  { name: 'bn.output.grad', shape, kind: 'output gradient', truth: dy } as const,
  { name: 'initial/bn.weight', shape: [channels], kind: 'weight', truth: weight } as const,
];
const from = before.map(({ name }) => name);

describe('a norm’s gradient that is not PyTorch’s', () => {
  it.each<[string, (i: number) => number]>([
    [
      'the gradient takes the statistics for constants: the parts of mean and variance are missing',
      (i) => sent(i) / deviation[channel(i)],
    ],
    [
      "the variance's part of the gradient is missing",
      (i) => (sent(i) - sentMean[channel(i)]) / deviation[channel(i)],
    ],
  ])('%s', (says, value) => {
    const planted = {
      name: 'a.output.grad',
      shape,
      kind: 'output gradient',
      truth: computed('x.grad').data as Float64Array,
      ours: Float64Array.from(x, (_, i) => value(i)),
      from,
      what,
    } as const;
    expect(causeOf([...before, planted])).toBe(says);
  });

  it('of its weight, not divided by the deviation', () => {
    const planted = {
      name: 'bn.weight.grad',
      shape: [channels],
      kind: 'weight gradient',
      truth: computed('weight.grad').data as Float64Array,
      ours: sums((i) => dy[i] * (x[i] - mean[channel(i)])),
      from,
      what,
    } as const;
    expect(causeOf([...before, planted])).toBe(
      'the gradient of its weight is not divided by the deviation',
    );
  });
});
