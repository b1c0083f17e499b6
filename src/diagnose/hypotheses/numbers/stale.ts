import { toFloat64 } from '../../../tensor/tensor.ts';
import { leftToOurs } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { withinStep } from '../../stepName.ts';
import type { Held } from '../../suspect.ts';

const asWords = (when: string): string =>
  when === '' || when === 'layers' ? 'the first step' : when === 'initial' ? 'the start' : when;

const kindWords = (name: string, of: Held): string => {
  const [own, other] = [withinStep(name), withinStep(of.name)];
  if (own.bare !== other.bare) return `equals the reference's ${of.name}`;
  if (other.when === 'initial') return 'equals its value before the first step: it was not updated';
  return `equals its own value of ${asWords(other.when)}`;
};

const fewest = 4;

/** Ours is what the reference holds under another name. */
const another: Hypothesis = {
  name: 'another tensor',
  about: "another tensor's value: of the step before, of the start, of a neighbour, swapped",
  fits(numbers, suspect, evidence) {
    // What is a handful of numbers, or the same everywhere, equals others by chance.
    if (numbers.truth.length < fewest) return [];
    const constant = numbers.ours.every((x) => x === numbers.ours[0]);
    return evidence.alike(suspect.shape).flatMap((of): Fit[] => {
      const other = toFloat64(of.record.truth);
      if (of.name === suspect.name || other.length !== numbers.ours.length) return [];
      const same = withinStep(of.name).bare === withinStep(suspect.name).bare;
      // A running variance is 1 everywhere before the first step.
      if (constant && !(same && withinStep(of.name).when === 'initial')) return [];
      const left = leftToOurs(numbers, (i) => other[i]);
      const says = kindWords(suspect.name, of);
      const key = same ? `stale ${withinStep(of.name).when}` : `is ${of.name}`;
      return [{ key, says, left, freedom: 0 }];
    });
  },
};

const zero: Hypothesis = {
  name: 'zero',
  about: 'nothing arrived: zeros',
  fits: ({ whole, truth }) =>
    truth.length > 1 && whole.every((x) => x === 0)
      ? [{ key: 'zero', says: 'is zero everywhere: nothing reached it', left: 0, freedom: 0 }]
      : [],
};

/** What is no work of this step's. */
export const staleHypotheses: readonly Hypothesis[] = [zero, another];
