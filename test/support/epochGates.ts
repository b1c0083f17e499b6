import type { Reference } from '../../src/align/reference/reference.ts';
import { type Tensor, tensor, toFloat64 } from '../../src/tensor/tensor.ts';
import { digests, type Gate, namesIn, toTruth } from './gate.ts';

const numbers = (values: readonly number[]): Tensor =>
  tensor('float64', [values.length], Float64Array.from(values));

const number = (value: number): Tensor => tensor('float64', [], Float64Array.of(value));

const equal = (name: string, to: Tensor): Gate => ({ name, by: 'equal', to });

/** Digests of batches behind the number of their pass, eight hexadecimal digits. */
const inPasses = (passes: readonly (readonly string[])[]): Tensor => {
  const rows = passes.flatMap((pass, n) => pass.map((row) => `0000000${n}${row}`));
  const bytes = Uint8Array.from(Buffer.from(rows.join(''), 'hex'));
  return tensor('uint8', [rows.length, 36], bytes);
};

/** What must be told of the small run from step `from` on. */
function runFrom(reference: Reference, from: number): Gate[] {
  const section = reference.stage('epochs');
  const { settings, steps, noise, evaluation } = section;
  const arrays = reference.arrays(section.file);
  const list = (key: string): number[] => [...toFloat64(arrays.get(key)!)];
  const each = Math.ceil(settings.images / settings.batch);
  const done = Math.floor(from / each);
  const averaged = [0, ...list('averaged')];
  const columns = ['train', 'test', 'swaTest'].flatMap((set) => [`${set}Loss`, `${set}Accuracy`]);
  const near = (name: string, truth: number, floor: number): Gate => ({
    name,
    by: 'mean',
    to: number(truth),
    threshold: Math.max(1e-6, 10 * floor),
  });
  const accuracy = (name: string, to: number): Gate =>
    ({ ...equal(name, number(to)), within: 1e-9 }) as Gate;
  const parts = Object.keys(steps[0]) as (keyof (typeof steps)[number])[];
  const passes = ['testLoss', 'swaTestLoss'].flatMap((c) =>
    list(`epochs/${c}`).filter((epoch) => epoch > done),
  );
  const decided = [
    equal('models averaged', numbers(averaged.slice(done + 1))),
    ...columns.map((c) => equal(`${c} is told`, numbers(list(`epochs/${c}`)))),
    equal(
      'batch sizes',
      numbers(
        steps.flatMap((_, k) => {
          const left = settings.images - (k % each) * settings.batch;
          return k < from ? [] : [Math.min(settings.batch, left)];
        }),
      ),
    ),
    equal('learning rate', numbers(list('lr').slice(from))),
    ...parts.map((part) => equal(part, digests(steps.slice(from).map((step) => step[part]!)))),
    ...(['labels', 'images'] as const).map((part) =>
      equal(`test ${part}`, digests(passes.flatMap(() => evaluation.map((b) => b[part])))),
    ),
    equal('batch-norm refresh', inPasses(section.refreshes.slice(averaged[done]))),
    equal('generator', digests(section.generators.slice(done))),
  ];
  const losses = list('f64/losses').flatMap((truth, k) =>
    k < from ? [] : [near(`loss@${k}`, truth, noise.steps[k])],
  );
  const left = noise.tensors.flatMap((floor, at) => {
    if (at < done) return [];
    const joined = averaged[at + 1] > averaged[at];
    const groups = [`epoch ${at + 1}/`, ...(joined ? [`average of ${averaged[at + 1]}/`] : [])];
    return groups.flatMap((group) =>
      namesIn(arrays, group).map((name): Gate => {
        const bar = Math.max(5e-6, 10 * floor);
        const { one: _, ...gate } = toTruth(group + name, arrays, group + name, { bar });
        return gate as Gate;
      }),
    );
  });
  const told = columns.flatMap((c) =>
    list(`epochs/${c}`).flatMap((epoch, i) => {
      if (epoch <= done) return [];
      const [name, truth] = [`${c} of epoch ${epoch}`, list(`f64/${c}`)[i]];
      return [
        c.endsWith('Loss') ? near(name, truth, noise.losses[epoch - 1]) : accuracy(name, truth),
      ];
    }),
  );
  const evals = [
    { of: 'swa', batches: evaluation, column: 'swaTest' },
    { of: 'raw', batches: section.eval, column: 'test' },
  ].flatMap(({ of, batches, column }) => {
    const name = (what: string): string => `eval of ${of} weights: ${what}`;
    const last = (what: string): number => list(`f64/${column}${what}`).at(-1)!;
    return [
      ...(['labels', 'images'] as const).map((part) =>
        equal(name(part), digests(batches.map((batch) => batch[part]))),
      ),
      near(name('loss'), last('Loss'), noise.losses[settings.epochs - 1]),
      accuracy(name('accuracy'), last('Accuracy')),
    ];
  });
  return [...decided, ...losses, ...left, ...told, ...evals];
}

/** The run in one go, and what is left of it when it is stopped and resumed. */
export const epochs = (reference: Reference): Gate[] => [
  ...runFrom(reference, 0),
  ...runFrom(reference, reference.stage('epochs').settings.stop_after).map(
    (gate) => ({ ...gate, name: `resumed: ${gate.name}` }) as Gate,
  ),
];
