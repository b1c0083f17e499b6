import { type PortReference, Recorder } from 'swa-align';
import {
  adam,
  crossEntropy,
  linear,
  linearBackward,
  type Matrix,
  type Mistake,
  matrix,
} from './network.ts';

const float32 = (data: unknown): Float32Array => Float32Array.from(data as Float32Array);

/** Three steps of the network on the weights and batches of the reference, every tensor recorded. */
export function run(ref: PortReference, mistake: Mistake = 'none'): Recorder {
  const rec = new Recorder(ref);
  const names = ['0.weight', '0.bias', '2.weight', '2.bias'] as const;
  const weights = new Map(names.map((name) => [name, float32(ref.weight(name).data)]));
  const slots = new Map(
    names.map((name) => {
      const size = weights.get(name)!.length;
      return [name, { average: new Float32Array(size), square: new Float32Array(size) }];
    }),
  );
  const shapeOf = (name: string): number[] => [...ref.weight(name).shape];
  const weight = (name: (typeof names)[number]): Matrix => {
    const [rows, columns] = shapeOf(name);
    return matrix(rows, columns, weights.get(name));
  };

  for (let pass = 0; pass < ref.manifest.passes.length; pass++) {
    const add = (name: string, data: Float32Array, shape: number[]): unknown =>
      rec.add(name, { data, shape }, { pass });
    const addMatrix = (name: string, { data, rows, columns }: Matrix): unknown =>
      add(name, data, [rows, columns]);

    const images = ref.input('input.0', { pass });
    const labels = ref.input('input.1', { pass, dtype: 'int32' }).data;
    const x = matrix(images.shape[0], images.shape[1], float32(images.data));

    const hidden = linear(x, weight('0.weight'), weights.get('0.bias')!);
    addMatrix('0.output', hidden);
    const active = { ...hidden, data: hidden.data.map(Math.tanh) };
    addMatrix('1.output', active);
    const logits = linear(active, weight('2.weight'), weights.get('2.bias')!);
    addMatrix('2.output', logits);
    const { loss, grad } = crossEntropy(logits, labels);
    rec.add('loss', loss, { pass });

    addMatrix('2.output.grad', grad);
    const last = linearBackward(active, weight('2.weight'), grad);
    addMatrix('1.output.grad', last.dx);
    const from = mistake === 'tanh’s slope from its input' ? hidden : active;
    const slope = last.dx.data.map((g, i) => g * (1 - from.data[i] ** 2));
    const hiddenGrad = matrix(hidden.rows, hidden.columns, slope);
    addMatrix('0.output.grad', hiddenGrad);
    const first = linearBackward(x, weight('0.weight'), hiddenGrad);
    const gradients = {
      '0.weight': first.dw.data,
      '0.bias': first.db,
      '2.weight': last.dw.data,
      '2.bias': last.db,
    };
    for (const name of names) {
      add(`${name}.grad`, gradients[name], shapeOf(name));
      adam(weights.get(name)!, gradients[name], slots.get(name)!, pass + 1, { mistake });
      add(name, weights.get(name)!, shapeOf(name));
      add(`${name}.exp_avg`, slots.get(name)!.average, shapeOf(name));
      add(`${name}.exp_avg_sq`, slots.get(name)!.square, shapeOf(name));
      rec.add(`${name}.step`, pass + 1, { pass });
    }
  }
  return rec;
}
