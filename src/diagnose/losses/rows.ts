/** A loss of one image by its logits and the class it is of, and the gradient of it. */
export type OfRow = (
  x: Float64Array,
  target: Float64Array,
) => { readonly loss: number; readonly gradient: Float64Array };

const total = (values: Float64Array): number => values.reduce((sum, v) => sum + v, 0);

function logSoftmax(x: Float64Array): Float64Array {
  const most = x.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const shift = most + Math.log(total(x.map((v) => Math.exp(v - most))));
  return x.map((v) => v - shift);
}

const softmax = (x: Float64Array): Float64Array => logSoftmax(x).map(Math.exp);

const dot = (a: Float64Array, b: Float64Array): number => total(a.map((v, i) => v * b[i]));

/** What a gradient at p = softmax(x) is at x. */
const throughSoftmax = (p: Float64Array, sent: Float64Array): Float64Array => {
  const mean = dot(p, sent);
  return p.map((v, i) => v * (sent[i] - mean));
};

export const crossEntropy: OfRow = (x, target) => {
  const log = logSoftmax(x);
  const all = total(target);
  return {
    loss: -dot(target, log),
    gradient: log.map((v, i) => all * Math.exp(v) - target[i]),
  };
};

export const ofProbabilities: OfRow = (x, target) => {
  const p = softmax(x);
  const { loss, gradient } = crossEntropy(p, target);
  return { loss, gradient: throughSoftmax(p, gradient) };
};

export const withoutLogarithm: OfRow = (x, target) => {
  const p = softmax(x);
  return {
    loss: -dot(target, p),
    gradient: throughSoftmax(
      p,
      target.map((t) => -t),
    ),
  };
};

export const withoutSoftmax: OfRow = (x, target) => ({
  loss: -dot(target, x),
  gradient: target.map((t) => -t),
});

export const binary: OfRow = (x, target) => ({
  loss: total(x.map((v, i) => Math.max(v, 0) - v * target[i] + Math.log1p(Math.exp(-Math.abs(v))))),
  gradient: x.map((v, i) => 1 / (1 + Math.exp(-v)) - target[i]),
});

export const squares: OfRow = (x, target) => ({
  loss: total(x.map((v, i) => (v - target[i]) ** 2)),
  gradient: x.map((v, i) => 2 * (v - target[i])),
});

export const squaresOfProbabilities: OfRow = (x, target) => {
  const p = softmax(x);
  const { loss, gradient } = squares(p, target);
  return { loss, gradient: throughSoftmax(p, gradient) };
};

/** A loss by another base of the logarithm. */
export const inBase =
  (base: number): OfRow =>
  (x, target) => {
    const { loss, gradient } = crossEntropy(x, target);
    return { loss: loss / Math.log(base), gradient: gradient.map((g) => g / Math.log(base)) };
  };
