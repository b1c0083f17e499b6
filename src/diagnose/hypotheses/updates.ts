import { shortNumber } from '../../shortNumber.ts';
import { earlierOf, heldIn, valuesAt } from '../around.ts';
import type { Hypothesis } from '../hypothesis.ts';
import type { Numbers } from '../numbers.ts';
import { withinStep } from '../stepName.ts';
import type { Evidence, Held, Suspect } from '../suspect.ts';
import { type Term, termFits } from '../term.ts';

/** The optimizer's settings; NaN where it has none, which fits nothing. */
const settingsOf = ({ optimizer = {} }: Evidence) => ({
  lr: Number(optimizer.lr),
  decay: Number(optimizer.weight_decay),
  momentum: Number(optimizer.momentum),
});

/** `what` values are missing by −`by` and there twice by +`by`. */
const aroundOnce = (what: string, by: number, twice = 'counts twice'): Term['known'] =>
  Number.isFinite(by)
    ? [
        { by: -by, key: `${what} missing`, says: `${what} is missing` },
        { by, key: `${what} twice`, says: `${what} ${twice}` },
      ]
    : [];

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

/** What a step knows of a parameter, by its name after the step, in the shape of what is asked about. */
function parameterOf(name: string, { shape }: Held, evidence: Evidence) {
  const { when, bare } = withinStep(name);
  // Stages tell what an iteration computes from what it leaves.
  const within = when.replace(/^after /, '');
  const left = when.startsWith('iter') ? `after ${name}` : name;
  const weight = heldIn(evidence, left, shape);
  const velocity = heldIn(evidence, `${left}.momentum`, shape);
  return {
    before: earlierOf(weight ?? { name: left, shape }, evidence),
    gradient: heldIn(evidence, `${within === '' ? '' : `${within}/`}${bare}.grad`, shape),
    velocity,
    velocityBefore: velocity && earlierOf(velocity, evidence),
  };
}

type TermsOf = (numbers: Numbers, suspect: Suspect, evidence: Evidence) => readonly Term[];

const ofGradient: TermsOf = (numbers, suspect, evidence) => {
  const { before, velocityBefore } = parameterOf(
    suspect.name.replace(/\.grad$/, ''),
    suspect,
    evidence,
  );
  const { decay, momentum } = settingsOf(evidence);
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

/** SGD's velocity: momentum × that of before + gradient + decay × weight. */
const ofVelocity: TermsOf = (numbers, suspect, evidence) => {
  if (!suspect.name.endsWith('.momentum')) return [];
  const parameter = parameterOf(suspect.name.replace(/\.momentum$/, ''), suspect, evidence);
  const { decay, momentum } = settingsOf(evidence);
  const gradient = parameter.gradient && valuesAt(numbers, parameter.gradient);
  const before = parameter.before && valuesAt(numbers, parameter.before);
  return [
    ...termOf(numbers, parameter.before, {
      known: aroundOnce(weightDecay, decay),
      ...(Number.isFinite(decay) && { fitted: (by) => decayOf(decay + by, decay) }),
    }),
    ...termOf(numbers, parameter.velocityBefore, {
      known: aroundOnce('the velocity of before', momentum),
      fitted: (by) => ({
        key: `momentum ${(momentum + by).toPrecision(2)}`,
        says: `fits momentum ${shortNumber(momentum + by)}, the reference used ${momentum}`,
      }),
    }),
    ...termOf(numbers, parameter.gradient, { known: aroundOnce('the gradient', 1) }),
    ...(gradient === undefined
      ? []
      : [
          {
            values: plus(gradient, before, decay || 0),
            known: [
              {
                by: -momentum,
                key: 'dampening',
                says: 'the gradient counts 1 − momentum times: it is dampened, or averaged',
              },
            ],
          },
        ]),
  ];
};

/** Nobody chooses a negative one. */
const decayOf = (fits: number, used: number) =>
  fits > 0
    ? {
        key: `${weightDecay} ${fits.toPrecision(2)}`,
        says: `fits ${weightDecay} ${shortNumber(fits)}, the reference used ${used}`,
      }
    : undefined;

const updateOf = (numbers: Numbers, before: Held | undefined): Float64Array | undefined => {
  const values = before === undefined ? undefined : valuesAt(numbers, before);
  return values?.map((x, i) => numbers.truth[i] - x);
};

const plus = (a: Float64Array, b: Float64Array | undefined, by: number): Float64Array =>
  b === undefined ? a : a.map((x, i) => x + by * b[i]);

const rate = (lr: number, times: number): string =>
  Number.isFinite(lr)
    ? `: fits a learning rate of ${shortNumber(lr * times)}, the reference used ${lr}`
    : '';

/** A weight after a step: another number of times its update, decay or velocity. */
const ofWeight: TermsOf = (numbers, suspect, evidence) => {
  const { before, velocity, velocityBefore } = parameterOf(suspect.name, suspect, evidence);
  const { lr, decay, momentum } = settingsOf(evidence);
  const update = updateOf(numbers, before);
  const now = velocity && valuesAt(numbers, velocity);
  const was = velocityBefore && valuesAt(numbers, velocityBefore);
  return [
    ...(update === undefined
      ? []
      : [
          {
            values: update,
            known: [
              { by: 1, key: 'updated twice', says: 'its step is made twice, or is twice as long' },
              { by: -2, key: 'ascent', says: 'its step goes the other way: up the gradient' },
            ],
            fitted: (by: number) => ({
              key: `step ${(1 + by).toPrecision(3)}`,
              says: `its step is ${shortNumber(1 + by)} × the reference's${rate(lr, 1 + by)}`,
            }),
          },
        ]),
    ...termOf(numbers, before, {
      known: aroundOnce(weightDecay, -lr * decay),
      ...(Number.isFinite(lr * decay) && { fitted: (by) => decayOf(decay - by / lr, decay) }),
    }),
    ...(was === undefined
      ? []
      : [{ values: was, known: aroundOnce('the velocity of before', -lr * momentum) }]),
    ...(now === undefined
      ? []
      : [
          {
            values: plus(now, was, -1),
            known: [
              {
                by: -lr * momentum,
                key: 'nesterov',
                says: "a step of Nesterov's momentum, the reference's is plain",
              },
              {
                by: lr * momentum,
                key: 'no nesterov',
                says: "a step of plain momentum, the reference's is Nesterov's",
              },
            ],
          },
        ]),
  ];
};

const row = (name: string, about: string, kind: Suspect['kind'], of: TermsOf): Hypothesis => ({
  name,
  about,
  fits: (numbers, suspect, evidence) =>
    suspect.kind === kind ? termFits(numbers, of(numbers, suspect, evidence)) : [],
});

/** What an optimizer's step, or the gradients it is given, hold too little or too much of. */
export const updateHypotheses: readonly Hypothesis[] = [
  row(
    'gradient of a weight',
    'accumulated over steps, or with weight decay or velocity in it',
    'weight gradient',
    ofGradient,
  ),
  row(
    'velocity',
    "SGD's velocity with other weight decay, momentum or dampening",
    'optimizer state',
    ofVelocity,
  ),
  row(
    'step',
    'a step made twice, backwards, by another learning rate, weight decay or momentum',
    'weight',
    ofWeight,
  ),
];
