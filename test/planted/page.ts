import { type PlantedRow, scoresOf } from './scores.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** What is told, and whether it is the mistake. */
function toldCell({ told, toldOf = '', cause }: PlantedRow): string {
  if (told === undefined) return '–';
  const of = toldOf === '' ? '' : ` (of \`${toldOf}\`)`;
  return `${cause === 'right' ? '' : '**another:** '}${cell(told)}${of}`;
}

const rowLine = (row: PlantedRow): string => {
  const { name, people, stage, at, right, reads } = row;
  const by = stage === '' ? '**nothing**' : stage;
  const place = stage === '' ? '' : `${right ? '' : '**another:** '}\`${at}\``;
  return `| ${cell(name)} | ${cell(people)} | ${by} | ${place} | ${cell(reads)} | ${toldCell(row)} |`;
};

/** The table as a page, and how many were caught, named and explained. */
export const plantedPage = (rows: readonly PlantedRow[]): string =>
  [
    '# Planted bugs',
    '',
    `\`npm run test:planted\` makes each of these ${rows.length} mistakes on our side, one at a time, and runs the stages of`,
    '`npm run diff` until one fails. *Named* is the layer, tensor or decision of the first check that failed; *should read*',
    'the cause that a person should be told, *told* the first cause that was, and – where none was.',
    '',
    ...scoresOf(rows).map(({ text }) => `- ${text}`),
    '',
    ...[...new Set(rows.map((r) => r.family))].flatMap((family) => [
      `## ${family}`,
      '',
      '| mistake | what people do | caught by | named | should read | told |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows.filter((r) => r.family === family).map(rowLine),
      '',
    ]),
  ].join('\n');
