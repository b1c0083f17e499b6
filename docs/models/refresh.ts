/**
 * Writes what a run of the stages measured into the model pages (`npm run record:models`).
 *
 *     npx tsx docs/models/refresh.ts FILE     FILE: by `diff --model all --json FILE`
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Check, Verdict } from '../../src/align/judge/verdict.ts';
import type { Manifest, StageName } from '../../src/align/reference/manifest.ts';
import { openReference } from '../../src/align/reference/reference.ts';
import { fixturesDirectory } from '../../src/fixtures.ts';
import { markdownTable } from '../../src/report/markdown.ts';
import type { Rounding } from '../../src/report/rounding.ts';
import { shortNumber } from '../../src/shortNumber.ts';

interface Stage {
  readonly stage: StageName;
  readonly passed: boolean;
  readonly notes: readonly string[];
  readonly rounding?: Rounding;
  readonly verdicts: readonly Verdict[];
}
interface Model {
  readonly model: string;
  readonly ours: string;
  readonly theirs: string;
  readonly stages: readonly Stage[];
}
type Row = readonly [stage: string, what: string, bar: string, seen: string];

const heading = '## What is aligned, and to what error\n';

/** The check of this kind that comes nearest to its bar. */
function nearest(
  { verdicts }: Stage,
  method: Check['method'],
  concerns: (name: string) => boolean = () => true,
): readonly [bar: string, seen: string] | undefined {
  const [first] = verdicts
    .filter(({ name }) => concerns(name))
    .flatMap(({ name, checks }) => checks.map((check) => ({ name, ...check })))
    .filter((check) => check.method === method)
    .toSorted((a, b) => b.value / b.threshold - a.value / a.threshold);
  if (first === undefined) return undefined;
  const own = first.pytorch === undefined ? '' : `, PyTorch's own ${shortNumber(first.pytorch)}`;
  return [shortNumber(first.threshold), `${shortNumber(first.value)} (\`${first.name}\`${own})`];
}

type Describe = (stage: Stage, recorded: Manifest['stages']) => readonly (Row | undefined)[];

const measured = (
  stage: Stage,
  what: string,
  ...of: Parameters<typeof nearest> extends [Stage, ...infer Rest] ? Rest : never
): Row | undefined => {
  const found = nearest(stage, ...of);
  return found && [stage.stage, what, ...found];
};
const equal = ({ stage }: Stage, what: string): Row => [stage, what, 'equal', 'equal'];

const schedules = ({ verdicts }: Stage): string =>
  verdicts
    .filter(({ name }) => name.startsWith('schedule/'))
    .map(({ name }) => `\`${name.slice('schedule/'.length)}\``)
    .join(', ');

const describe: { readonly [S in StageName]: Describe } = {
  ops: (stage) => [
    measured(stage, 'single layers where ports go wrong: relative error', 'relative l2'),
  ],
  forward: (stage, { forward }) => [
    measured(
      stage,
      `logits of ${forward!.settings?.images ?? 30} images: mean difference to float32`,
      'mean',
    ),
    measured(
      stage,
      `logits and the outputs of ${stage.verdicts.length - 2} layers: relative error`,
      'relative l2',
    ),
  ],
  metric: (stage, { metric }) => [
    equal(stage, `all ${metric!.images} predictions; ${stage.notes[0]}`),
    measured(stage, 'logits: relative error', 'relative l2'),
  ],
  loss: (stage) => [measured(stage, 'cross-entropy: difference to float32', 'mean')],
  backward: (stage, { backward }) => {
    const { iterations, images } = backward!.kinkfree.settings;
    return [
      measured(
        stage,
        `every gradient of ${iterations} iterations on ${images} kink-free images, then weights, momenta, buffers: relative error`,
        'relative l2',
      ),
      measured(
        stage,
        'biases that batch norm takes out: error over that of their weights',
        'scaled',
      ),
      measured(stage, 'SGD by itself: units in the last place', 'ulp'),
      measured(
        stage,
        "losses in the original port's profile: difference to float32",
        'mean',
        (name) => name.startsWith('ncpaddle'),
      ),
    ];
  },
  train: (stage, { train }) => {
    const { settings, steps } = train!;
    const masks = steps[0]?.mask0 === undefined ? '' : ', masks';
    return [
      equal(
        stage,
        `${steps.length} steps of ${settings.batch} images from a seed: weights, order, labels, pixels${masks} by SHA-256`,
      ),
      measured(stage, "the loss of every step; bar: 10 × PyTorch's distance from itself", 'mean'),
    ];
  },
  swa: (stage) => [
    schedules(stage) === ''
      ? undefined
      : equal(stage, `learning rate of every epoch of ${schedules(stage)}`),
    measured(stage, 'running average of three models: relative error', 'relative l2', (name) =>
      name.startsWith('average/'),
    ),
    measured(
      stage,
      'batch-norm statistics refreshed, a short batch last: relative error',
      'relative l2',
      (name) => name.startsWith('bn_refresh/'),
    ),
  ],
  epochs: (stage) => [
    measured(
      stage,
      "a narrow network's five epochs, whole and resumed: losses; bar: 10 × PyTorch's distance from itself",
      'mean',
    ),
  ],
  ddp: (stage, { ddp }) => [
    equal(
      stage,
      `on ${Object.keys(ddp!.ranks).join(', ')} ranks: samples, masks, means of gradients`,
    ),
    measured(
      stage,
      "a narrow network's ten steps: losses; bar: 10 × PyTorch's distance from itself",
      'mean',
    ),
  ],
};

/** Our error in units of PyTorch's, for every stage that has such. */
const ratioRow = ({ stage, rounding }: Stage): Row | undefined =>
  rounding && [
    stage,
    `error in units of PyTorch's own float32 error, over ${rounding.tensors} tensors: median; worst`,
    '4',
    `${shortNumber(rounding.median)}; ${shortNumber(rounding.worst)} (\`${rounding.tensor}\`)`,
  ];

function section({ model, ours, theirs, stages }: Model): string {
  const directory = join(fixturesDirectory, 'reference', model);
  const { manifest } = openReference(directory, model);
  const { length: hashes } = Object.keys(manifest.weights.sha256);
  const rows = stages
    .flatMap((stage) => [...describe[stage.stage](stage, manifest.stages), ratioRow(stage)])
    .filter((row) => row !== undefined);
  const first: Row = [
    'all',
    `initial weights of \`manual_seed(0)\`, ${hashes} tensors by SHA-256`,
    'equal',
    'equal',
  ];
  const table = markdownTable(
    ['stage', 'what', 'bar', 'seen'].map((title) => ({ title })),
    [first, ...rows],
  );
  const bytes = readdirSync(directory).reduce(
    (sum, f) => sum + statSync(join(directory, f)).size,
    0,
  );
  const { numpy_seed: seed, bias_shift: shift } = manifest.stages.backward!.kinkfree.settings;
  const biases =
    shift === undefined
      ? ''
      : ` with batch-norm biases of ±${shift}, without which one is hard to find (\`docs/reference-format.md\`)`;
  return [
    heading,
    `\`npm run diff -- --model ${model}\`: ${ours} against ${theirs}. Relative errors are to PyTorch in`,
    'float64. Of each kind, the tensor that comes nearest to its bar:\n',
    ...table,
    `\nThe kink-free batch is that of NumPy seed ${seed}${biases}. The reference takes ${(bytes / 1e6).toFixed(2)} MB.\n`,
  ].join('\n');
}

const pages = dirname(fileURLToPath(import.meta.url));
const [file] = process.argv.slice(2);
const { models } = JSON.parse(readFileSync(file, 'utf8')) as { readonly models: readonly Model[] };
for (const model of models) {
  const failed = model.stages.filter(({ passed }) => !passed).map(({ stage }) => stage);
  if (failed.length > 0) throw new Error(`${model.model} failed ${failed.join(', ')}`);
  const page = join(pages, `${model.model}.md`);
  const text = readFileSync(page, 'utf8');
  const [before] = text.split(heading);
  writeFileSync(page, `${before.trimEnd()}\n\n${section(model)}`);
  console.log(page);
}
