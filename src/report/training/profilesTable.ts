import type { PublishedAccuracy } from '../../train/settings/publishedRecipes.ts';
import type { TrainingSettings } from '../../train/settings/trainingSettings.ts';

/** A profile as a run of `train` would have it. */
export interface ProfileRow {
  readonly name: string;
  readonly settings: TrainingSettings;
  readonly published?: PublishedAccuracy;
}

const heads = ['profile', 'dataset', 'epochs', 'lr', 'wd', 'swa from', 'swa lr', 'published %'];

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

/** The profiles as lines of aligned columns, a heading first. */
export function profilesTable(rows: readonly ProfileRow[]): string[] {
  const table = [heads, ...rows.map(cells)];
  const widths = heads.map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}
