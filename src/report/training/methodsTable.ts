import { UsageError } from '../../errors.ts';
import { bySeed, type Seed } from '../../torch/seed.ts';
import { counted } from '../../words.ts';
import { tableFor } from '../textTable.ts';
import { networkTitle, type RunReport } from './runReport.ts';
import { spreadOf, spreadText } from './statistics.ts';
import { level, paired, relevant, type TTest, welch } from './tTests.ts';

/*
 * The paper's table of finished runs: SGD and SWA, mean ± sd over seeds, for each program that ran them, and tests whether
 * programs differ and whether methods do.
 */

/**
 * What a run ends with, in percent. The weights that SWA averages were trained at its own learning rate, so they are no
 * result of SGD: only runs without --swa are.
 */
const methods = {
  SGD: ({ settings, accuracy }: RunReport) => (settings.swa ? undefined : accuracy.sgd?.final),
  'weights averaged by SWA': ({ settings, accuracy }: RunReport) =>
    settings.swa ? accuracy.sgd?.final : undefined,
  SWA: ({ accuracy }: RunReport) => accuracy.swa?.final,
} as const;

type Method = keyof typeof methods;
const methodNames = Object.keys(methods) as Method[];

interface SeedValue {
  readonly seed: Seed;
  readonly accuracy: number;
}

/** Final accuracies of a method by a program. */
interface Cell {
  readonly method: Method;
  readonly program: string;
  /** The smallest seed first. */
  readonly values: readonly SeedValue[];
}

export interface MethodsTable {
  readonly network: string;
  readonly dataset: string;
  readonly epochs: number;
  readonly cells: readonly Cell[];
  readonly tests: readonly (TTest & { readonly question: string })[];
}

/** A run, and where its report lies. */
export interface PlacedRun {
  readonly run: RunReport;
  readonly where: string;
}

/** `swa-align 0.1.0` → `swa-align` */
const programOf = ({ by }: RunReport): string => by.split(' ')[0];

const ofSwa: ReadonlySet<string> = new Set(['swaStart', 'swaLr', 'swaCEpochs']);

/** What a run did that says nothing of these: PyTorch's peer is one. */
const alone = { narrow: 1, distributed: null };

/** A setting in which two runs differ though only seed and method may. */
function otherSetting(a: RunReport['settings'], b: RunReport['settings']): string | undefined {
  const [mine, other]: Record<string, unknown>[] = [a, b].map((of) => ({ ...alone, ...of }));
  return Object.keys(mine).find(
    (name) =>
      name in other &&
      name !== 'seed' &&
      name !== 'swa' &&
      !(ofSwa.has(name) && !(a.swa && b.swa)) &&
      JSON.stringify(mine[name]) !== JSON.stringify(other[name]),
  );
}

function said({ settings }: RunReport, setting: string): string {
  const value: unknown = { ...alone, ...settings }[setting];
  return value === null || value === undefined
    ? 'none'
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
}

/** Throws UsageError where a mean over runs would say nothing: other data, other settings, or a run twice. */
function checkAlike(runs: readonly PlacedRun[]): void {
  const fix = 'name runs that differ in seed, --swa and program alone';
  const seen = new Map<string, string>();
  for (const { run, where } of runs) {
    for (const { run: earlier, where: there } of runs) {
      if (earlier === run) break;
      const setting = otherSetting(earlier.settings, run.settings);
      const split = (['train', 'test'] as const).find(
        (of) => earlier.dataset[of].sha256 !== run.dataset[of].sha256,
      );
      if (setting === undefined && split === undefined) continue;
      const what =
        setting === undefined
          ? `saw other ${split} images`
          : `has ${setting} ${said(run, setting)}, not ${said(earlier, setting)}`;
      throw new UsageError(`${what} than ${there}`.replace(/(, not .*) than/, '$1 as in'), {
        where,
        fix,
      });
    }
    const key = `${programOf(run)} ${run.settings.swa} ${run.settings.seed}`;
    const twin = seen.get(key);
    if (twin !== undefined) {
      throw new UsageError(`is the same seed, method and program as ${twin}`, { where, fix });
    }
    seen.set(key, where);
  }
}

const accuracies = ({ values }: Cell): number[] => values.map(({ accuracy }) => accuracy);

/** Differences of two methods from the same seeds. */
const perSeed = (a: Cell, b: Cell): number[] =>
  a.values.flatMap(({ seed, accuracy }) => {
    const other = b.values.find((value) => value.seed === seed);
    return other === undefined ? [] : [accuracy - other.accuracy];
  });

function testsOf(cells: readonly Cell[], programs: readonly string[]): MethodsTable['tests'] {
  const cell = (method: Method, program: string): Cell | undefined =>
    cells.find((of) => of.method === method && of.program === program);
  const named = (question: string, test: TTest | undefined) =>
    test === undefined ? [] : [{ question, ...test }];
  const [first, ...others] = programs;
  const amongPrograms = methodNames.flatMap((method) =>
    others.flatMap((other) => {
      const [a, b] = [cell(method, first), cell(method, other)];
      return a && b
        ? named(`${method}: ${first} − ${other}`, welch(accuracies(a), accuracies(b)))
        : [];
    }),
  );
  const amongMethods = programs.flatMap((program) => {
    const swa = cell('SWA', program);
    return (['SGD', 'weights averaged by SWA'] as const).flatMap((method) => {
      const other = cell(method, program);
      return swa && other ? named(`${program}: SWA − ${method}`, paired(perSeed(swa, other))) : [];
    });
  });
  return [...amongPrograms, ...amongMethods];
}

/** Throws UsageError, naming the run, where they are not runs of one experiment. */
export function methodsTable(runs: readonly [PlacedRun, ...PlacedRun[]]): MethodsTable {
  checkAlike(runs);
  const programs = [...new Set(runs.map(({ run }) => programOf(run)))];
  const cells = methodNames.flatMap((method) =>
    programs.flatMap((program): Cell[] => {
      const values = runs
        .filter(({ run }) => programOf(run) === program)
        .flatMap(({ run }): SeedValue[] => {
          const accuracy = methods[method](run);
          return accuracy === undefined ? [] : [{ seed: run.settings.seed, accuracy }];
        })
        .sort((a, b) => bySeed(a.seed, b.seed));
      return values.length === 0 ? [] : [{ method, program, values }];
    }),
  );
  const [{ run }] = runs;
  const { dataset, epochs } = run.settings;
  return {
    network: networkTitle(run.settings),
    dataset: `${dataset}, ${run.dataset.train.images.toLocaleString('en')} training images`,
    epochs,
    cells,
    tests: testsOf(cells, programs),
  };
}

const right = (title: string) => ({ title, align: 'right' as const });
const probability = (p: number): string => (p < 0.001 ? p.toExponential(1) : p.toFixed(3));

/** Markdown, or plain tables for a terminal `width` columns wide. */
export function methodsText(
  { network, dataset, epochs, cells, tests }: MethodsTable,
  width = Number.POSITIVE_INFINITY,
): string {
  const programs = [...new Set(cells.map(({ program }) => program))];
  const used = methodNames.filter((method) => cells.some((cell) => cell.method === method));
  const of = (method: Method, program: string) =>
    cells.find((cell) => cell.method === method && cell.program === program);
  const shown = (cell: Cell | undefined): string =>
    cell === undefined
      ? '–'
      : `${spreadText(spreadOf(accuracies(cell)))} (${counted(cell.values.length, 'run')})`;
  const seeds = [
    ...new Map(
      cells.flatMap(({ values }) => values).map(({ seed }) => [String(seed), seed] as const),
    ).values(),
  ].sort(bySeed);
  const lines = [
    `${network} on ${dataset}, ${counted(epochs, 'epoch')}. Final test accuracy in %, mean ± sample standard deviation over seeds.`,
    '',
    ...tableFor(
      width,
      [{ title: 'weights' }, ...programs.map(right)],
      used.map((method) => [method, ...programs.map((program) => shown(of(method, program)))]),
    ),
    '',
    ...(tests.length === 0
      ? ['No test: that takes two runs on a side that differ.']
      : [
          ...tableFor(
            width,
            [
              { title: 'difference' },
              { title: 'test', goes: 2 },
              right('points'),
              { ...right('t'), goes: 4 },
              { ...right('df'), goes: 3 },
              right('p'),
              { ...right(`power for ${counted(relevant, 'point')}`), goes: 1 },
            ],
            tests.map((test) => [
              test.question,
              `${test.test}, n = ${test.n.join(' and ')}`,
              `${test.difference.toFixed(2)} ± ${test.standardError.toFixed(2)}`,
              test.t.toFixed(2),
              test.df.toFixed(1),
              probability(test.p),
              test.power.toFixed(2),
            ]),
          ),
          '',
          `Two-sided tests, ± one standard error, p not corrected for ${counted(tests.length, 'test')}. Methods are compared seed by seed. Power: the probability that`,
          `such a test finds a difference of ${counted(relevant, 'point')} (p < ${level}), if the spread is as here. If the power is low, a large p says little.`,
        ]),
    '',
    ...tableFor(
      width,
      [right('seed'), ...cells.map(({ method, program }) => right(`${method}, ${program}`))],
      seeds.map((seed) => [
        String(seed),
        ...cells.map(
          ({ values }) => values.find((value) => value.seed === seed)?.accuracy.toFixed(2) ?? '–',
        ),
      ]),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same, machine-readable and with all digits. */
export function methodsJson({ cells, ...table }: MethodsTable): string {
  const json = {
    format: 'swa-align methods/1',
    ...table,
    cells: cells.map((cell) => ({ ...cell, ...spreadOf(accuracies(cell)) })),
  };
  return `${JSON.stringify(json, null, 1)}\n`;
}
