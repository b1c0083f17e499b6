import type { Seed } from '../../torch/seed.ts';
import { counted } from '../../words.ts';
import { tableFor } from '../textTable.ts';
import { networkTitle } from './runReport.ts';
import { type Spread, spreadOf, spreadText } from './statistics.ts';

/** What one seed ended with. */
export interface SeedResult {
  readonly seed: Seed;
  /** Final test accuracy in percent of the weights that were trained. */
  readonly sgd: number;
  /** … of their average, in a run by SWA. */
  readonly swa?: number;
}

/** Runs that differ in nothing but the seed. */
export interface SeedGroup {
  readonly model: string;
  /** By how much its widths are divided, where they are. */
  readonly narrow?: number;
  readonly dataset: string;
  readonly epochs: number;
  readonly method: 'SGD' | 'SWA';
  readonly results: readonly SeedResult[];
}

interface Column {
  readonly title: string;
  readonly spread: Spread | undefined;
  readonly of: (result: SeedResult) => number | undefined;
}

/**
 * The weights that SWA averages were trained at its constant learning rate, so they are worse than what
 * SGD with its own schedule ends with; only a run without --swa gives the paper's SGD column.
 */
const columnsOf = ({ method, results }: SeedGroup): Column[] => {
  const column = (title: string, of: Column['of']): Column => ({
    title,
    of,
    spread: spreadOf(results.flatMap((result) => of(result) ?? [])),
  });
  const sgd = ({ sgd }: SeedResult) => sgd;
  if (method === 'SGD') return [column('SGD', sgd)];
  return [column('weights averaged by SWA', sgd), column('SWA', ({ swa }) => swa)];
};

const networkOf = ({ model, narrow, epochs }: SeedGroup): string =>
  `${networkTitle({ model, narrow })} (${counted(epochs, 'epoch')})`;

/** Final test accuracies, mean ± sample standard deviation, then every seed by itself: Markdown, or
 * plain tables for a terminal `width` columns wide. */
export function seedsTables(
  groups: readonly SeedGroup[],
  width = Number.POSITIVE_INFINITY,
): string {
  const columns = groups.map((group) => ({ group, columns: columnsOf(group) }));
  const summary = tableFor(
    width,
    [
      { title: 'network' },
      { title: 'data', goes: 1 },
      { title: 'weights' },
      { title: 'runs', align: 'right', goes: 2 },
      { title: 'test accuracy, %', align: 'right' },
    ],
    columns.flatMap(({ group, columns: of }) =>
      of.map(({ title, spread }) => [
        networkOf(group),
        group.dataset,
        title,
        String(spread?.n ?? 0),
        spreadText(spread),
      ]),
    ),
  );
  const single = columns.flatMap(({ group, columns: of }) => [
    '',
    ...tableFor(
      width,
      [
        { title: 'seed', align: 'right' },
        ...of.map(({ title }) => ({ title: `${title}, %`, align: 'right' as const })),
      ],
      group.results.map((result) => [
        String(result.seed),
        ...of.map((column) => column.of(result)?.toFixed(2) ?? '–'),
      ]),
    ),
  ]);
  const note = 'Final test accuracy, mean ± sample standard deviation over seeds.';
  return `${[note, '', ...summary, ...single].join('\n')}\n`;
}

/** The same, machine-readable and with all digits. */
export function seedsJson(groups: readonly SeedGroup[]): string {
  const json = {
    format: 'swa-align seeds/1',
    groups: groups.map((group) => ({
      ...group,
      spread: {
        sgd: spreadOf(group.results.map(({ sgd }) => sgd)),
        ...(group.method === 'SWA' && {
          swa: spreadOf(group.results.flatMap(({ swa }) => swa ?? [])),
        }),
      },
    })),
  };
  return `${JSON.stringify(json, null, 1)}\n`;
}
