import { shortNumber } from '../../../shortNumber.ts';
import { earlierOf, heldIn, valuesAt } from '../../around.ts';
import type { Hypothesis } from '../../hypothesis.ts';
import type { Numbers } from '../../numbers.ts';
import { withinStep } from '../../stepName.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';
import { type Term, termFits } from '../../term.ts';

/** The optimizer's settings for a parameter; NaN where it has none, which fits nothing. */
function settingsOf(parameter: string, { optimizer, optimizerOf }: Evidence) {
  const settings = optimizerOf?.(parameter) ?? optimizer ?? {};
  return {
    lr: Number(settings.lr),
    decay: Number(settings.weight_decay),
    momentum: Number(settings.momentum),
  };
}

const termOf = (
  numbers: Numbers,
  held: Held | undefined,
  about: Omit<Term, 'values'>,
): readonly Term[] => {
  const values = held === undefined ? undefined : valuesAt(numbers, held);
  return values === undefined ? [] : [{ values, ...about }];
};

/** All gradients of the steps before, the latest alone and their sum. */
function earlierGradients(numbers: Numbers, suspect: Suspect, evidence: Evidence): Float64Array[] {
  const found: Float64Array[] = [];
  for (let held = earlierOf(suspect, evidence); held !== undefined; ) {
    const values = valuesAt(numbers, held);
    if (values === undefined || held.kind !== 'weight gradient') break;
    found.push(values);
    held = earlierOf(held, evidence);
  }
  if (found.length < 2) return found;
  return [found[0], found[0].map((_, i) => found.reduce((sum, values) => sum + values[i], 0))];
}

const weightDecay = 'weight decay';

/** What a step finds of a parameter, by its name after the step, in the shape of what is asked about. */
function foundBy(name: string, { shape }: Held, evidence: Evidence) {
  const { when } = withinStep(name);
  // Stages tell what an iteration computes from what it leaves.
  const left = when.startsWith('iter') ? `after ${name}` : name;
  const weight = heldIn(evidence, left, shape);
  const velocity = heldIn(evidence, `${left}.momentum`, shape);
  return {
    before: earlierOf(weight ?? { name: left, shape }, evidence),
    velocityBefore: velocity && earlierOf(velocity, evidence),
  };
}

type TermsOf = (numbers: Numbers, suspect: Suspect, evidence: Evidence) => readonly Term[];

const ofGradient: TermsOf = (numbers, suspect, evidence) => {
  const parameter = suspect.name.replace(/\.grad$/, '');
  const { before, velocityBefore } = foundBy(parameter, suspect, evidence);
  const { decay, momentum } = settingsOf(parameter, evidence);
  const decayed = `${weightDecay} in gradient`;
  return [
    ...earlierGradients(numbers, suspect, evidence).map((values) => ({
      values,
      known: [
        {
          by: 1,
          key: 'accumulated',
          says: 'gradients are added up over steps: those of before are not set to zero',
        },
      ],
    })),
    ...termOf(numbers, before, {
      known: [{ by: decay, key: decayed, says: `${weightDecay} is in it: ${decay} × the weight` }],
      fitted: (by) => ({
        key: `${decayed} ${by.toPrecision(2)}`,
        says: `${shortNumber(by)} × the weight is in it: ${weightDecay}`,
      }),
    }),
    ...termOf(numbers, velocityBefore, {
      known: [{ by: momentum, key: 'velocity in gradient', says: 'the velocity is in it' }],
    }),
  ];
};

const updateOf = (numbers: Numbers, before: Held | undefined): Float64Array | undefined => {
  const values = before === undefined ? undefined : valuesAt(numbers, before);
  return values?.map((x, i) => numbers.truth[i] - x);
};

const rate = (lr: number, times: number): string =>
  Number.isFinite(lr)
    ? `: fits a learning rate of ${shortNumber(lr * times)}, the reference used ${lr}`
    : '';

/** A weight after a step: another number of times its update. By whatever optimizer. */
const ofWeight: TermsOf = (numbers, suspect, evidence) => {
  const { before } = foundBy(suspect.name, suspect, evidence);
  const { lr } = settingsOf(suspect.name, evidence);
  const update = updateOf(numbers, before);
  if (update === undefined) return [];
  return [
    {
      values: update,
      known: [
        { by: 1, key: 'updated twice', says: 'its step is made twice, or is twice as long' },
        { by: -2, key: 'ascent', says: 'its step goes the other way: up the gradient' },
      ],
      fitted: (by) => ({
        key: `step ${(1 + by).toPrecision(3)}`,
        says: `its step is ${shortNumber(1 + by)} × the reference's${rate(lr, 1 + by)}`,
      }),
    },
  ];
};

const row = (name: string, about: string, kind: Suspect['kind'], of: TermsOf): Hypothesis => ({
  name,
  about,
  fits: (numbers, suspect, evidence) =>
    suspect.kind === kind ? termFits(numbers, of(numbers, suspect, evidence)) : [],
});

/** What the gradients that a step is given hold too much of, and a step that is longer, shorter or backwards. */
export const updateHypotheses: readonly Hypothesis[] = [
  row(
    'gradient of a weight',
    'accumulated over steps, or with weight decay or velocity in it',
    'weight gradient',
    ofGradient,
  ),
  row('length of a step', 'a step made twice, backwards or of another length', 'weight', ofWeight),
];
