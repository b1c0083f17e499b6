import { shortNumber } from '../../shortNumber.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Variant } from './variant.ts';

/** The share that a model takes in an average of `held` others. */
type Take = (held: number) => number;

/** An average of models that join one after the other, from zero on. */
function averaged(models: readonly Float64Array[], take: Take): Float64Array {
  return models.reduce(
    (mean, model, held) => mean.map((x, i) => x * (1 - take(held)) + model[i] * take(held)),
    models[0].map(() => 0),
  );
}

/** Of so many models, shares can be told apart. */
const mostSolved = 8;

/** The shares with which models add up to ours, in the least squares; undefined where they are too much alike. */
function sharesOf(models: readonly Float64Array[], ours: Float64Array): number[] | undefined {
  const n = models.length;
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((s, x, i) => s + x * b[i], 0);
  const rows = models.map((a) => [...models.map((b) => dot(a, b)), dot(a, ours)]);
  for (let k = 0; k < n; k++) {
    const pivot = rows.findIndex(
      (row, i) => i >= k && rows.slice(k).every((other) => Math.abs(other[k]) <= Math.abs(row[k])),
    );
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    if (!(Math.abs(rows[k][k]) > 0)) return undefined;
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const by = rows[i][k] / rows[k][k];
      rows[i] = rows[i].map((x, j) => x - by * rows[k][j]);
    }
  }
  return rows.map((row, k) => row[n] / row[k]);
}

const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-3;

/** An average of models, each at the elements that the reference holds, were they averaged otherwise. */
export function* averageVariants(
  models: readonly Float64Array[],
  ours: Float64Array,
): Generator<Variant> {
  const n = models.length;
  const of = (key: string, says: string, value: Float64Array, freedom?: 1): Variant => ({
    key: `average ${key}`,
    says,
    value: tensor('float64', [value.length], value),
    ...(freedom && { freedom }),
  });
  if (n < 2) return;
  yield of('last', 'equals the last model, not the average', models[n - 1]);
  yield of('first', 'equals the first model, not the average', models[0]);
  yield of(
    'one more',
    'one model more is averaged: the initial weights, which are zero, count as one',
    averaged(models, (held) => 1 / (held + 2)),
  );
  yield of(
    'swapped',
    'the shares of the old average and of the new model are swapped',
    averaged(models, (held) => (held === 0 ? 1 : held / (held + 1))),
  );
  yield of(
    'sum',
    'is the sum of the models, not their mean',
    averaged(models, (held) => 1 / (held + 1)).map((x) => x * n),
  );
  const shares = n <= mostSolved ? sharesOf(models, ours) : undefined;
  if (shares === undefined || !shares.every(Number.isFinite)) return;
  const share = Number(shares[n - 1].toPrecision(3));
  if (!near(share, 1 / n)) {
    yield of(
      `exponential ${share}`,
      `each new model has a share of ${share}: an exponential average`,
      averaged(models, (held) => (held === 0 ? 1 : share)),
      1,
    );
    yield of(
      `exponential from zero ${share}`,
      `each model has a share of ${share}, the first too: an exponential average that begins at zero`,
      averaged(models, () => share),
      1,
    );
  }
  const rounded = shares.map((x) => Number(x.toPrecision(3)));
  const told = rounded.map(shortNumber).join(', ');
  yield of(
    `shares ${told}`,
    `the models have the shares ${told}, the reference's all 1/${n}`,
    ours.map((_, i) => models.reduce((s, model, k) => s + rounded[k] * model[i], 0)),
    1,
  );
}
