import { catalogue } from './catalogue/index.ts';
import type { Family, Look } from './plant.ts';
import { plantedTests } from './plantedTests.ts';

/** Stages of a second or less each. */
const quick: readonly Look[] = [
  { model: 'vgg16', stage: 'ops' },
  { model: 'vgg16bn', stage: 'epochs' },
  { model: 'preresnet110', stage: 'epochs' },
];

/** A few of every kind; `npm run test:planted` plants them all. */
const chosen: ReadonlySet<string> = new Set([
  'maps flattened as NHWC',
  'ceil pooling',
  "batch norm's momentum read the other way",
  'variance as E[x²] − E[x]²',
  'ReLU passes the gradient at 0',
  'ties in max-pool go to the last',
  'label off by one',
  'log-softmax without subtracting the maximum',
  'learning rate one epoch late',
  '--wd ignored',
  'cycles counted from the first epoch',
  'checkpoints sorted as text',
  "tested on images prepared as the first model's",
  'crop before flip',
  'last batch of an epoch dropped',
  'order drawn once for all epochs',
  "an evaluation's draw overlooked",
  'the generator not restored on resuming',
  'the average begun one epoch late',
  'momenta lost when a model joins the average',
  'training goes on from the average',
  'statistics of the trained weights behind the average',
  'stale statistics behind the average',
]);

const isQuick = ({ model, stage }: Look): boolean =>
  quick.some((look) => look.model === model && look.stage === stage);

const sample = catalogue.map(
  (family): Family => ({
    ...family,
    looks: family.looks.filter(isQuick),
    bugs: family.bugs.filter(({ name }) => chosen.has(name)),
  }),
);

plantedTests(
  sample.filter(({ bugs }) => bugs.length > 0),
  quick,
);
