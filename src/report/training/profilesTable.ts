import type { PublishedAccuracy } from '../../train/settings/publishedRecipes.ts';
import type { TrainingSettings } from '../../train/settings/trainingSettings.ts';
import { noRoomFor, type TextColumn, textTable } from '../textTable.ts';

/** A profile as a run of `train` would have it. */
export interface ProfileRow {
  readonly name: string;
  readonly settings: TrainingSettings;
  readonly published?: PublishedAccuracy;
}

/** Names stay whole: they are what `--profile` takes. */
const head: readonly TextColumn[] = [
  { title: 'profile' },
  { title: 'dataset', goes: 1 },
  { title: 'epochs', goes: 6 },
  { title: 'lr', goes: 3 },
  { title: 'wd', goes: 2 },
  { title: 'swa from', goes: 5 },
  { title: 'swa lr', goes: 4 },
  { title: 'published %' },
];

const cells = ({ name, settings, published }: ProfileRow): string[] => {
  const { dataset, epochs, lrInit, wd, swa, swaStart, swaLr } = settings;
  return [
    name,
    dataset,
    String(epochs),
    String(lrInit),
    String(wd),
    swa ? String(swaStart) : '',
    swa ? String(swaLr) : '',
    published === undefined ? '' : `${published.mean.toFixed(2)} ± ${published.sd.toFixed(2)}`,
  ];
};

/** The profiles as lines of aligned columns, a heading first. `columns`: how wide the terminal is. */
export function profilesTable(
  rows: readonly ProfileRow[],
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const { lines, left } = textTable(head, rows.map(cells), columns);
  return [...lines, ...noRoomFor(left)];
}
