import type { OfRow } from './rows.ts';
import * as rows from './rows.ts';

/** Logits of images, or of places in them, and the class that each is of. */
export interface Classified {
  readonly logits: Float64Array;
  readonly classes: number;
  /** Flat index of a row's first logit, and how far the next one is. */
  readonly first: (row: number) => number;
  readonly stride: number;
  readonly labels: Float64Array;
}

/** A loss, and its gradient at the logits, laid out as they are. */
export interface Lost {
  readonly loss: number;
  readonly gradient: Float64Array;
}

/** A loss of classes in words, and how it is computed. */
export interface Loss {
  readonly key: string;
  /** As a noun, for where it is the reference's. */
  readonly name: string;
  /** What is wrong with it where the reference's is plain cross-entropy. */
  readonly says: string;
  readonly of: (batch: Classified) => Lost;
}

/** What a class is as numbers, one for each of `classes`. */
type Target = (label: number, classes: number) => Float64Array;

const hot: Target = (label, classes) =>
  Float64Array.from({ length: classes }, (_, c) => (c === label ? 1 : 0));

const wrapped: (by: number) => Target = (by) => (label, classes) =>
  hot((label + by + classes) % classes, classes);

export const rowOf = ({ logits, classes, first, stride }: Classified, n: number): Float64Array =>
  Float64Array.from({ length: classes }, (_, c) => logits[first(n) + c * stride]);

/** Every row's loss and gradient, unweighted. */
export const eachRow = (
  batch: Classified,
  of: OfRow = rows.crossEntropy,
  target: Target = hot,
): ReturnType<OfRow>[] =>
  Array.from(batch.labels, (label, n) => of(rowOf(batch, n), target(label, batch.classes)));

/** Rows put together, each with its share. */
export function together(
  { logits, first, stride }: Classified,
  found: readonly ReturnType<OfRow>[],
  share: (row: number) => number,
): Lost {
  const gradient = new Float64Array(logits.length);
  let sum = 0;
  found.forEach(({ loss, gradient: g }, n) => {
    sum += share(n) * loss;
    g.forEach((v, c) => {
      gradient[first(n) + c * stride] = share(n) * v;
    });
  });
  return { loss: sum, gradient };
}

type Share = (rows: number, classes: number) => number;
const mean: Share = (n) => 1 / n;

const by =
  (of: OfRow, share: Share = mean, target: Target = hot) =>
  (batch: Classified): Lost => {
    const each = share(batch.labels.length, batch.classes);
    return together(batch, eachRow(batch, of, target), () => each);
  };

/** Softmax over the images: every class is a row of its own. */
function alongTheBatch(batch: Classified): Lost {
  const { classes, labels, first, stride, logits } = batch;
  const gradient = new Float64Array(logits.length);
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    const column = Float64Array.from(labels, (_, n) => logits[first(n) + c * stride]);
    const targets = labels.map((label) => (label === c ? 1 : 0));
    const { loss, gradient: g } = rows.crossEntropy(column, targets);
    sum += loss;
    g.forEach((v, n) => {
      gradient[first(n) + c * stride] = v / labels.length;
    });
  }
  return { loss: sum / labels.length, gradient };
}

const steps = [2, 4, 8, 16];

/** What cross-entropy is, and what is taken for it. The first is the usual one. */
export const losses: readonly Loss[] = [
  {
    key: 'mean',
    name: 'cross-entropy averaged over the images',
    says: '',
    of: by(rows.crossEntropy),
  },
  {
    key: 'sum',
    name: 'cross-entropy summed over the images',
    says: 'the loss is summed over the batch, not averaged',
    of: by(rows.crossEntropy, () => 1),
  },
  {
    key: 'mean over classes',
    name: 'cross-entropy averaged over images and classes',
    says: 'the loss is averaged over images and classes, not over images alone',
    of: by(rows.crossEntropy, (n, classes) => 1 / (n * classes)),
  },
  {
    key: 'mean twice',
    name: 'cross-entropy divided by the images twice',
    says: 'the loss is averaged over the batch twice',
    of: by(rows.crossEntropy, (n) => 1 / (n * n)),
  },
  ...steps.map(
    (k): Loss => ({
      key: `divided by ${k}`,
      name: `cross-entropy divided by ${k}`,
      says: `${1 / k} × the reference's: the loss is divided by ${k} too, as by accumulation steps`,
      of: by(rows.crossEntropy, (n) => 1 / (n * k)),
    }),
  ),
  ...[1, -1].flatMap((shift): Loss[] => [
    {
      key: `labels ${shift}`,
      name: `cross-entropy of labels off by ${shift}`,
      says: `labels are off by one: of class k the loss takes class k ${shift > 0 ? '+' : '−'} 1, past the end none`,
      of: by(rows.crossEntropy, mean, (label, classes) => hot(label + shift, classes)),
    },
    {
      key: `labels ${shift}`,
      name: `cross-entropy of labels off by ${shift}`,
      says: `labels are off by one: of class k the loss takes class k ${shift > 0 ? '+' : '−'} 1, past the end the first from the other side`,
      of: by(rows.crossEntropy, mean, wrapped(shift)),
    },
  ]),
  {
    key: 'softmax twice',
    name: 'cross-entropy of probabilities',
    says: 'softmax is applied twice: the loss takes logits and is given probabilities',
    of: by(rows.ofProbabilities),
  },
  {
    key: 'no logarithm',
    name: 'the negative probability of the right class',
    says: 'the logarithm is missing: probabilities are added, not their logarithms',
    of: by(rows.withoutLogarithm),
  },
  {
    key: 'no softmax',
    name: 'the negative logit of the right class',
    says: 'softmax is missing: logits are taken for logarithms of probabilities',
    of: by(rows.withoutSoftmax),
  },
  {
    key: 'softmax along the batch',
    name: 'cross-entropy of a softmax over the images',
    says: 'softmax is taken along the batch (axis 0), not along the classes',
    of: alongTheBatch,
  },
  {
    key: 'base 2',
    name: 'cross-entropy in bits',
    says: 'the logarithm is to the base 2, not e',
    of: by(rows.inBase(2)),
  },
  {
    key: 'turned',
    name: 'the log-likelihood',
    says: 'its sign is turned: the log-likelihood, not its negative',
    of: by(rows.crossEntropy, (n) => -1 / n),
  },
  {
    key: 'binary',
    name: 'binary cross-entropy of each class',
    says: 'binary cross-entropy of each class by itself, not cross-entropy of a softmax',
    of: by(rows.binary, (n, classes) => 1 / (n * classes)),
  },
  {
    key: 'binary, summed',
    name: 'binary cross-entropy summed over the classes',
    says: 'binary cross-entropy summed over the classes, not cross-entropy of a softmax',
    of: by(rows.binary),
  },
  {
    key: 'squares',
    name: 'the mean squared error of logits',
    says: 'the mean squared error of the logits, not cross-entropy',
    of: by(rows.squares, (n, classes) => 1 / (n * classes)),
  },
  {
    key: 'squares of probabilities',
    name: 'the mean squared error of probabilities',
    says: 'the mean squared error of the probabilities, not cross-entropy',
    of: by(rows.squaresOfProbabilities, (n, classes) => 1 / (n * classes)),
  },
];
