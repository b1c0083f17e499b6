import { distanceOf, explains, leftToOurs } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { type Loss, type Lost, losses } from '../../losses/classified.ts';
import { foundOf, lossGiven } from '../../losses/given.ts';
import { smoothed, weighted } from '../../losses/weighted.ts';
import { leftOf, type Numbers } from '../../numbers.ts';

/** The loss, or its gradient at the places that are known: whichever is asked about. */
const partOf =
  ({ at }: Numbers, isLoss: boolean) =>
  ({ loss, gradient }: Lost) =>
  (i: number): number =>
    isLoss ? loss : gradient[at[i]];

const [usual] = losses;

const wordsFor = ({ says, name }: Loss, right: Loss): string =>
  right === usual ? says : `${name}, the reference's is ${right.name}`;

/** What is fitted to a gradient must meet the loss beside it, and the gradient of which it was fitted. */
const beside = 1e-5;

const near = (a: number, b: number): boolean => Math.abs(a - b) <= beside * Math.abs(b);

function nearAll(values: Float64Array, to: Float64Array): boolean {
  let [off, size] = [0, 0];
  for (let i = 0; i < to.length; i++) {
    off += (values[i] - to[i]) ** 2;
    size += to[i] ** 2;
  }
  return Math.sqrt(off) <= beside * Math.sqrt(size);
}

/** A loss of classes computed again from logits and labels, with one thing changed. */
const classified: Hypothesis = {
  name: 'loss',
  about:
    'a loss with one thing changed: summed, averaged twice, of other labels, label smoothing, class weights',
  fits(numbers, suspect, evidence): Fit[] {
    const given = lossGiven(suspect, evidence);
    if (given === undefined) return [];
    const part = partOf(numbers, suspect.name === given.loss);
    const right = losses.find(({ of }) => leftOf(numbers, part(of(given.truth))) <= numbers.limit);
    if (right === undefined) return [];
    const left = (lost: Lost): number => leftToOurs(numbers, part(lost));
    if (left(right.of(given.ours)) <= numbers.limit) return [];
    const distance = distanceOf(numbers);
    const named = losses.flatMap((other): Fit[] => {
      if (other === right) return [];
      const rest = left(other.of(given.ours));
      const fit = { key: `loss: ${other.key}`, says: wordsFor(other, right), left: rest } as const;
      return explains(numbers, rest, distance) ? [{ ...fit, freedom: 0 }] : [];
    });
    const found = foundOf(given, evidence);
    // One number fits anything: what is fitted needs the gradient beside it.
    if (named.some((fit) => fit.left <= numbers.limit) || right !== usual) return named;
    if (found.loss === undefined || found.gradient === undefined) return named;
    const { loss, gradient } = found;
    const fitted = [smoothed, weighted].flatMap((solve): Fit[] => {
      const solved = solve(given.ours, gradient);
      if (solved === undefined) return [];
      const { key, says, of } = solved;
      if (!near(of.loss, loss) || !nearAll(of.gradient, gradient)) return [];
      return [{ key: `loss: ${key}`, says, left: left(of), freedom: 1 }];
    });
    return [...named, ...fitted];
  },
};

export const lossHypotheses: readonly Hypothesis[] = [classified];
