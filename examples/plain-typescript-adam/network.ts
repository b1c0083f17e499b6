/** Linear, tanh, linear, cross-entropy and Adam, forward and backward by hand, in float32. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

export const matrix = (
  rows: number,
  columns: number,
  data: Float32Array = new Float32Array(rows * columns),
): Matrix => ({
  rows,
  columns,
  data,
});

/** x·wᵀ + b, PyTorch's nn.Linear: w is [out, in]. */
export function linear(x: Matrix, w: Matrix, b: Float32Array): Matrix {
  const y = matrix(x.rows, w.rows);
  for (let i = 0; i < x.rows; i++) {
    for (let o = 0; o < w.rows; o++) {
      let sum = b[o];
      for (let k = 0; k < w.columns; k++) {
        sum += x.data[i * x.columns + k] * w.data[o * w.columns + k];
      }
      y.data[i * w.rows + o] = sum;
    }
  }
  return y;
}

/** Gradients of `linear` from the gradient to its output. */
export function linearBackward(x: Matrix, w: Matrix, grad: Matrix) {
  const [dx, dw, db] = [
    matrix(x.rows, x.columns),
    matrix(w.rows, w.columns),
    new Float32Array(w.rows),
  ];
  for (let i = 0; i < x.rows; i++) {
    for (let o = 0; o < w.rows; o++) {
      const g = grad.data[i * w.rows + o];
      db[o] += g;
      for (let k = 0; k < w.columns; k++) {
        dw.data[o * w.columns + k] += g * x.data[i * x.columns + k];
        dx.data[i * x.columns + k] += g * w.data[o * w.columns + k];
      }
    }
  }
  return { dx, dw, db };
}

/** Mean cross-entropy of logits, and its gradient: (softmax − one-hot) / n. */
export function crossEntropy(logits: Matrix, labels: ArrayLike<number>) {
  const grad = matrix(logits.rows, logits.columns);
  let loss = 0;
  for (let i = 0; i < logits.rows; i++) {
    const row = logits.data.subarray(i * logits.columns, (i + 1) * logits.columns);
    const largest = Math.max(...row);
    const sum = row.reduce((s, v) => s + Math.exp(v - largest), 0);
    loss += Math.log(sum) + largest - row[labels[i]];
    for (let c = 0; c < row.length; c++) {
      const p = Math.exp(row[c] - largest) / sum;
      grad.data[i * logits.columns + c] = (p - (labels[i] === c ? 1 : 0)) / logits.rows;
    }
  }
  return { loss: loss / logits.rows, grad };
}

export interface AdamSlots {
  readonly average: Float32Array;
  readonly square: Float32Array;
}

/** What people get wrong; `none` is right. */
export type Mistake = 'none' | 'eps inside the root' | 'tanh’s slope from its input';

/** One step of torch.optim.Adam with L2 weight decay, in place. */
export function adam(
  weight: Float32Array,
  grad: Float32Array,
  { average, square }: AdamSlots,
  step: number,
  {
    lr = 0.01,
    decay = 1e-3,
    beta1 = 0.9,
    beta2 = 0.999,
    eps = 1e-8,
    mistake = 'none' as Mistake,
  } = {},
): void {
  const [one, two] = [1 - beta1 ** step, 1 - beta2 ** step];
  for (let i = 0; i < weight.length; i++) {
    const g = grad[i] + decay * weight[i];
    average[i] = beta1 * average[i] + (1 - beta1) * g;
    square[i] = beta2 * square[i] + (1 - beta2) * g * g;
    const root =
      mistake === 'eps inside the root'
        ? Math.sqrt(square[i] / two + eps)
        : Math.sqrt(square[i] / two) + eps;
    weight[i] -= ((lr / one) * average[i]) / root;
  }
}
