import { shortNumber } from '../../shortNumber.ts';
import type { Heading } from '../chart/figure.ts';
import { type DrawOptions, errorOf, type Landscape, lossOf } from './landscape.ts';

/** `a`, `a and b`, `a, b and c`. */
export const listed = (names: readonly string[]): string =>
  names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;

const some = (n: number, of: number): string =>
  n === of ? n.toLocaleString('en') : `${n.toLocaleString('en')} of ${of.toLocaleString('en')}`;

/** Title and subtitle of a picture. */
export function headingOf(
  { model, dataset, images, backend }: Landscape,
  where: string,
): Pick<Heading, 'title' | 'subtitle' | 'runs'> {
  const { train, test, ofTrain, ofTest } = images;
  return {
    title: `${model} on ${dataset}, ${where}`,
    subtitle: `${some(train, ofTrain)} training images, ${some(test, ofTest)} test images; ${backend}`,
    runs: [],
  };
}

/** What is on the loss axis. */
export const lossLabel = ({ l2 }: DrawOptions): string =>
  l2 === 0 ? 'cross-entropy, nats per image' : `cross-entropy + ${l2 / 2} × ‖w‖²`;

/** The values at the solutions, a sentence each. */
export function valuesAtSolutions(landscape: Landscape, options: DrawOptions): string[] {
  return landscape.points.flatMap((point) => {
    if (point.solution === undefined) return [];
    const { name } = landscape.solutions[point.solution];
    const loss = shortNumber(lossOf(options)(point));
    return [`${name}: training loss ${loss}, test error ${errorOf(landscape)(point).toFixed(2)} %`];
  });
}
