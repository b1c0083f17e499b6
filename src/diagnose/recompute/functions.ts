/** erf to float64's rounding, by the series e^(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, whose terms have one sign. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const within = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** Element-wise functions that networks apply, by the names people know. */
export const functions: Readonly<Record<string, (x: number) => number>> = {
  nothing: (x) => x,
  ReLU: (x) => Math.max(x, 0),
  'GELU by erf': (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  'GELU by tanh': (x) =>
    0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  'GELU by sigmoid': (x) => x * sigmoid(1.702 * x),
  'SiLU (swish)': (x) => x * sigmoid(x),
  sigmoid,
  tanh: Math.tanh,
  softplus,
  ReLU6: (x) => within(x, 0, 6),
  hardswish: (x) => (x * within(x + 3, 0, 6)) / 6,
  hardsigmoid: (x) => within(x + 3, 0, 6) / 6,
  'leaky ReLU of 0.01': (x) => (x < 0 ? 0.01 * x : x),
  'leaky ReLU of 0.1': (x) => (x < 0 ? 0.1 * x : x),
  'leaky ReLU of 0.2': (x) => (x < 0 ? 0.2 * x : x),
  ELU: (x) => (x < 0 ? Math.expm1(x) : x),
  SELU: (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x),
  Mish: (x) => x * Math.tanh(softplus(x)),
  softsign: (x) => x / (1 + Math.abs(x)),
  'log-sigmoid': (x) => -softplus(-x),
  exp: Math.exp,
  log: Math.log,
  square: (x) => x * x,
  'square root': Math.sqrt,
};

const step = 1e-5;

/** Slopes that differ by more on the two sides of a place are those of a kink. */
const kink = 1e-2;

/**
 * By central differences: to about 1e-10, enough to tell one function from another. At a kink the slope of the side
 * below: so PyTorch has it of ReLU and leaky ReLU at 0.
 */
export function slopeOf(f: (x: number) => number, x: number): number {
  const [below, here, above] = [f(x - step), f(x), f(x + step)];
  const [left, right] = [(here - below) / step, (above - here) / step];
  return Math.abs(left - right) > kink ? left : (above - below) / (2 * step);
}

/** The flat positions of every line along an axis, one line after the other. */
export function* linesAlong(shape: readonly number[], axis: number): Generator<readonly number[]> {
  const extent = shape[axis];
  const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const size = shape.reduce((a, b) => a * b, 1);
  for (let block = 0; block < size; block += extent * stride) {
    for (let first = block; first < block + stride; first++) {
      yield Array.from({ length: extent }, (_, k) => first + k * stride);
    }
  }
}

/** Softmax along an axis, or its logarithm; a new array. */
export function softmax(
  values: Float64Array,
  shape: readonly number[],
  axis: number,
  log: boolean,
): Float64Array {
  const result = new Float64Array(values.length);
  for (const line of linesAlong(shape, axis)) {
    const largest = line.reduce((most, at) => Math.max(most, values[at]), Number.NEGATIVE_INFINITY);
    const sum = line.reduce((all, at) => all + Math.exp(values[at] - largest), 0);
    const shift = largest + Math.log(sum);
    for (const at of line) result[at] = log ? values[at] - shift : Math.exp(values[at] - shift);
  }
  return result;
}

/** What softmax, or its logarithm, sends back: `result` is what it gave, `sent` the gradient there. A new array. */
export function softmaxBack(
  result: Float64Array,
  sent: Float64Array,
  shape: readonly number[],
  axis: number,
  log: boolean,
): Float64Array {
  const back = new Float64Array(result.length);
  for (const line of linesAlong(shape, axis)) {
    const sum = line.reduce((all, at) => all + (log ? sent[at] : sent[at] * result[at]), 0);
    for (const at of line)
      back[at] = log ? sent[at] - Math.exp(result[at]) * sum : result[at] * (sent[at] - sum);
  }
  return back;
}
