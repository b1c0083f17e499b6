import { type TextColumn, tableFor } from '../textTable.ts';
import type { RunReport } from './runReport.ts';

const fixed = (value: number | undefined, decimals: number): string =>
  value === undefined ? '–' : value.toFixed(decimals);

const seconds = ({ seconds: { epochs, total } }: RunReport): string => {
  const known = epochs.filter((time) => time !== null).length;
  if (known === 0) return '–';
  const missing = epochs.length - known;
  return missing === 0
    ? total.toFixed(1)
    : `${total.toFixed(1)} (${known} of ${epochs.length} epochs)`;
};

const finalColumns: readonly TextColumn[] = [
  { title: 'run', shortens: true },
  { title: 'by', shortens: true, goes: 3 },
  { title: 'epochs', align: 'right', goes: 4 },
  { title: 'final train loss', align: 'right', goes: 2 },
  { title: 'test accuracy SGD, %', align: 'right', goes: 5 },
  { title: 'test accuracy SWA, %', align: 'right' },
  { title: 'seconds', align: 'right', goes: 1 },
];

const finals = (runs: readonly RunReport[], width: number): string[] =>
  tableFor(
    width,
    finalColumns,
    runs.map((run) => [
      run.name,
      run.by,
      String(run.rows.length),
      fixed(run.rows.at(-1)?.trainLoss, 4),
      fixed(run.accuracy.sgd?.final, 2),
      fixed(run.accuracy.swa?.final, 2),
      seconds(run),
    ]),
  );

const columns = [
  ['train loss', 'trainLoss', 6],
  ['test loss SGD', 'testLoss', 6],
  ['test accuracy SGD, points', 'testAccuracy', 2],
  ['test loss SWA', 'swaTestLoss', 6],
  ['test accuracy SWA, points', 'swaTestAccuracy', 2],
] as const;

/** How far a run is from the first, in epochs that both measured. */
function distances(ours: RunReport, peer: RunReport, of: (typeof columns)[number][1]): number[] {
  return ours.rows.flatMap((row) => {
    const other = peer.rows.find(({ epoch }) => epoch === row.epoch);
    const [a, b] = [row[of], other?.[of]];
    return a === undefined || b === undefined ? [] : [Math.abs(a - b)];
  });
}

const distanceTable = (ours: RunReport, peers: readonly RunReport[], width: number): string[] =>
  tableFor(
    width,
    [
      { title: `distance to ${ours.name}`, shortens: true },
      { title: 'of' },
      { title: 'first', align: 'right', goes: 1 },
      { title: 'largest', align: 'right', goes: 2 },
      { title: 'last', align: 'right' },
    ],
    peers.flatMap((peer) =>
      columns.flatMap(([title, of, decimals]) => {
        const found = distances(ours, peer, of);
        if (found.length === 0) return [];
        const shown = [found[0], Math.max(...found), found[found.length - 1]];
        return [[peer.name, title, ...shown.map((value) => value.toFixed(decimals))]];
      }),
    ),
  );

/** Settings that two runs name and differ in. */
function differingSettings(ours: RunReport, peer: RunReport): string[] {
  const fullWidth = { narrow: 1 };
  const theirs: RunReport['settings'] = { ...fullWidth, ...peer.settings };
  return Object.entries({ ...fullWidth, ...ours.settings }).flatMap(([name, value]) => {
    const other = theirs[name];
    return other === undefined || other === value ? [] : [`${name} ${value} and ${other}`];
  });
}

/** Whether two runs may be compared at all: a sentence. */
function premise(ours: RunReport, peer: RunReport): string {
  const data = (['train', 'test'] as const).filter(
    (split) => ours.dataset[split].sha256 !== peer.dataset[split].sha256,
  );
  const images =
    data.length === 0
      ? `the same images as ${ours.name}`
      : `other ${data.join(' and ')} images than ${ours.name}`;
  const settings = differingSettings(ours, peer);
  const same =
    settings.length === 0 ? 'the same settings' : `other settings (${settings.join(', ')})`;
  return `${peer.name} saw ${images}, with ${same}.`;
}

/** The table beside `comparedCurves`: Markdown, or plain for a terminal `width` columns wide. */
export function runTable(
  [ours, ...peers]: readonly [RunReport, ...RunReport[]],
  width = Number.POSITIVE_INFINITY,
): string {
  const lines = finals([ours, ...peers], width);
  if (peers.length > 0) {
    lines.push('', ...peers.map((peer) => premise(ours, peer)));
    lines.push('', ...distanceTable(ours, peers, width));
  }
  return `${lines.join('\n')}\n`;
}
