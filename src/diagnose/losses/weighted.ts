import { type Classified, eachRow, type Lost, together } from './classified.ts';
import { crossEntropy } from './rows.ts';

/** A loss that was fitted to a gradient at the logits. */
export interface Fitted {
  readonly key: string;
  readonly says: string;
  readonly of: Lost;
}

const short = (x: number, digits = 3): number => Number(x.toPrecision(digits));

/** Label smoothing: a part ε of each image's target goes to all classes alike. Solved for. */
export function smoothed(batch: Classified, gradient: Float64Array): Fitted | undefined {
  const { classes, labels } = batch;
  const share = 1 / labels.length;
  const by = (epsilon: number): Lost =>
    together(
      batch,
      eachRow(batch, crossEntropy, (label, n) =>
        Float64Array.from({ length: n }, (_, c) => (c === label ? 1 - epsilon : 0) + epsilon / n),
      ),
      () => share,
    );
  const plain = by(0).gradient;
  const all = by(1).gradient;
  let [cross, square] = [0, 0];
  for (let i = 0; i < plain.length; i++) {
    const step = all[i] - plain[i];
    cross += (gradient[i] - plain[i]) * step;
    square += step * step;
  }
  const solved = cross / square;
  if (!(solved > 1e-4 && solved < 1) || classes < 2) return undefined;
  const near = short(solved, 2);
  const epsilon = Math.abs(near / solved - 1) < 1e-4 ? near : solved;
  return {
    key: `label smoothing ${short(epsilon)}`,
    says: `label smoothing of ${short(epsilon)} is on, the reference has none`,
    of: by(epsilon),
  };
}

const same = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b));

/** Images that count by their class, or some of them not at all. Each row's weight is solved for. */
export function weighted(batch: Classified, gradient: Float64Array): Fitted | undefined {
  const { labels, classes, first, stride } = batch;
  const n = labels.length;
  const found = eachRow(batch);
  const weights = found.map(({ gradient: plain }, row) => {
    let [cross, square] = [0, 0];
    plain.forEach((g, c) => {
      cross += gradient[first(row) + c * stride] * g;
      square += g * g;
    });
    return (n * cross) / square;
  });
  if (classes < 3 || n < 2 || weights.every((w) => same(w, weights[0]))) return undefined;
  const of = together(batch, found, (row) => weights[row] / n);
  const byClass = new Map(Array.from(labels, (label, row) => [label, weights[row]]));
  const ofClass = weights.every((w, row) => same(w, byClass.get(labels[row])!));
  const left = weights.filter((w) => !same(w, 0));
  const even = left.every((w) => same(w, left[0]));
  const out = [...byClass].filter(([, w]) => same(w, 0)).map(([label]) => label);
  if (ofClass && even && out.length > 0) {
    const which = `${out.length === 1 ? 'class' : 'classes'} ${out.join(', ')}`;
    return {
      key: `ignored ${out}`,
      says: `images of ${which} are left out of the loss, as by ignore_index`,
      of,
    };
  }
  const few = (pairs: readonly (readonly [number, number])[]): string =>
    pairs
      .slice(0, 3)
      .map(([k, w]) => `${short(w)} for ${k}`)
      .join(', ');
  return ofClass && byClass.size < n
    ? {
        key: 'class weights',
        says: `images count by their class, as by class weights: ${few([...byClass])}`,
        of,
      }
    : {
        key: 'image weights',
        says: `images do not count alike in the loss: ${few(weights.map((w, row) => [row, w]))}`,
        of,
      };
}
