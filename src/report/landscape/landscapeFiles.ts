import { errorOf, type Landscape } from './landscape.ts';

const format = 'swa-align landscape/1';

/** RFC 4180. */
const cell = (value: string | number): string =>
  typeof value === 'string' && /[",\r\n]/.test(value)
    ? `"${value.replaceAll('"', '""')}"`
    : String(value);

/** A line a point: the solution's name where it is one, where it lies, what was measured. */
export function landscapeCsv(landscape: Landscape): string {
  const { points, solutions, images } = landscape;
  const columns = Object.keys(points[0].at);
  const head = [
    'point',
    ...columns,
    'train_loss',
    'train_error',
    'test_loss',
    'test_error',
    'weight_norm',
  ];
  const rows = points.map((point) => {
    const { solution, at, measured } = point;
    return [
      solution === undefined ? '' : solutions[solution].name,
      ...columns.map((column) => at[column]),
      measured.trainLoss,
      (100 * measured.trainWrong) / images.train,
      measured.testLoss,
      errorOf(landscape)(point),
      measured.norm,
    ];
  });
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

/** All of it; null stands for what is not finite. `more` is what follows from the points, such as widths. */
export const landscapeJson = (
  landscape: Landscape,
  more: Readonly<Record<string, unknown>>,
): string =>
  `${JSON.stringify(
    {
      format,
      ...landscape,
      ...more,
      points: landscape.points.map(({ solution, at, measured }) => ({
        ...(solution !== undefined && { point: landscape.solutions[solution].name }),
        ...at,
        ...measured,
      })),
    },
    null,
    1,
  )}\n`;
