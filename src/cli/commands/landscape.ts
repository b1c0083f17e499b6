import { join } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { writeFileAtomic } from '../../io/output/atomicFile.ts';
import { placesOnLine, placesOnPlane, placesOnRays, planeAxes } from '../../landscape/places.ts';
import { planeThrough, type Three } from '../../landscape/plane.ts';
import { distance, lengthOf } from '../../landscape/weightVector.ts';
import type { Landscape } from '../../report/landscape/landscape.ts';
import { landscapeCsv, landscapeJson } from '../../report/landscape/landscapeFiles.ts';
import { linePicture } from '../../report/landscape/linePicture.ts';
import { planePicture } from '../../report/landscape/planePicture.ts';
import {
  mostRaySolutions,
  raysPicture,
  widthLine,
  widthsOf,
} from '../../report/landscape/raysPicture.ts';
import { valuesAtSolutions } from '../../report/landscape/words.ts';
import { testErrorCsv, testErrorJson, testErrorPicture } from '../../report/training/testError.ts';
import type { Seed } from '../../torch/seed.ts';
import {
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  torchSeed,
} from '../arguments/flags.ts';
import { outputDirectory } from '../arguments/outputFlags.ts';
import type { CliContext, RegisterCommand } from '../context.ts';
import {
  type ClipFlags,
  clipFlags,
  type LandscapeFlags,
  landscapeFlags,
} from '../landscape/flags.ts';
import { makeLandscape } from '../landscape/makeLandscape.ts';
import { pointForm } from '../landscape/solutions.ts';
import { readRunReport } from '../train/runReportFiles.ts';

function write(dir: string, name: string, files: Readonly<Record<string, string>>): string {
  for (const [ending, text] of Object.entries(files)) {
    writeFileAtomic(join(dir, `${name}.${ending}`), text);
  }
  return `${join(dir, name)}.{${Object.keys(files).join(',')}}`;
}

/** Writes data and picture, and says what a reader wants to know first. */
function finish(
  landscape: Landscape,
  flags: LandscapeFlags,
  context: CliContext,
  svg: string,
  more: Readonly<Record<string, unknown>> = {},
): void {
  for (const line of valuesAtSolutions(landscape, flags)) context.print(line);
  const written = write(flags.out, landscape.kind, {
    csv: landscapeCsv(landscape),
    json: landscapeJson(landscape, more),
    svg,
  });
  context.print(`data and picture in ${written}`);
}

/** At least two places make a line. */
function several(text: string): number {
  const n = positiveInteger(text);
  if (n >= 2) return n;
  throw new UsageError(`${n} point makes no line`, { fix: 'give 2 or more' });
}

interface LineFlags extends LandscapeFlags {
  readonly points: number;
  readonly margin: number;
}

const line = (command: Command, context: CliContext): Command =>
  landscapeFlags(
    command
      .description('along the line from a first point (SGD’s) through a second (SWA’s): figure 5')
      .argument('<first>', `SGD’s weights: ${pointForm}`)
      .argument('<second>', 'SWA’s weights; distances are measured from them')
      .option('--points <n>', 'number of points, besides the two', several, 21)
      .option(
        '--margin <share>',
        'how far beyond either, as a share of their distance',
        nonNegativeNumber,
        0.5,
      ),
  ).action(async (first: string, second: string, flags: LineFlags) => {
    const { points: count, margin } = flags;
    const landscape = await makeLandscape('line', [first, second], flags, context, (read) => {
      const [a, b] = read.solutions.map(({ vector }) => vector);
      const apart = distance(a, b);
      if (apart === 0) {
        throw new UsageError('both points are the same weights: no line goes through one point', {
          where: `${first}, ${second}`,
          fix: 'name two',
        });
      }
      return {
        places: placesOnLine([a, b], apart, { margin, count }),
        settings: { '--points': count, '--margin': margin },
      };
    });
    finish(landscape, flags, context, linePicture(landscape, flags));
  });

interface PlaneFlags extends LandscapeFlags, ClipFlags {
  readonly grid: number;
  readonly margin: number;
}

const firstThree = <T>([a, b, c]: readonly T[]): Three<T> => [a, b, c];

const plane = (command: Command, context: CliContext): Command =>
  clipFlags(
    landscapeFlags(
      command
        .description('on the plane through three points: figures 1 and 3')
        .argument('<first>', `the plane’s origin: ${pointForm}`)
        .argument('<second>', 'a point on the x axis')
        .argument('<third>', 'a point above that axis')
        .option('--grid <n>', 'n times n points', several, 21)
        .option(
          '--margin <share>',
          'how far around the three, as a share of their longer span',
          nonNegativeNumber,
          0.2,
        ),
    ),
  ).action(async (first: string, second: string, third: string, flags: PlaneFlags) => {
    const { grid: count, margin } = flags;
    const words = [first, second, third];
    const landscape = await makeLandscape('plane', words, flags, context, ({ solutions }) => {
      const vectors = firstThree(solutions.map(({ vector }) => vector));
      const through = planeThrough(vectors, firstThree(solutions.map(({ name }) => name)));
      return {
        places: placesOnPlane(vectors, through, planeAxes(through, { margin, count })),
        settings: { '--grid': count, '--margin': margin },
      };
    });
    finish(landscape, flags, context, planePicture(landscape, flags));
  });

interface RaysFlags extends LandscapeFlags {
  readonly rays: number;
  readonly points: number;
  readonly reach?: number;
  readonly seed: Seed;
  readonly factor: number;
}

const rays = (command: Command, context: CliContext): Command =>
  landscapeFlags(
    command
      .description('along random rays, and how far the training loss stays low: figure 4')
      .argument('<solutions...>', `where rays start, up to ${mostRaySolutions}: ${pointForm}`)
      .option('--rays <n>', 'number of directions, the same from each', positiveInteger, 10)
      .option('--points <n>', 'number of distances on each, 0 included', several, 11)
      .option(
        '--reach <distance>',
        'the largest distance (the norm of the first solution’s weights)',
        positiveNumber,
      )
      .option('--seed <n>', 'directions as torch.randn draws them', torchSeed, 1)
      .option(
        '--factor <x>',
        'how many times higher the loss is at a ray’s width',
        positiveNumber,
        2,
      ),
  ).action(async (words: readonly string[], flags: RaysFlags) => {
    const { rays: directions, points: count, seed, factor } = flags;
    if (words.length > mostRaySolutions) {
      throw new UsageError(`one picture shows at most ${mostRaySolutions} solutions`, {
        fix: 'name fewer',
      });
    }
    if (factor <= 1) {
      throw new UsageError(`--factor ${factor}: the loss has that before it rises`, {
        fix: 'give more than 1',
      });
    }
    let reach = 0;
    const landscape = await makeLandscape('rays', words, flags, context, ({ model, solutions }) => {
      const vectors = solutions.map(({ vector }) => vector);
      reach = flags.reach ?? lengthOf([[1, vectors[0]]]);
      return {
        places: placesOnRays(model, vectors, { rays: directions, seed, reach, count }),
        settings: { '--rays': directions, '--points': count, '--reach': reach, '--seed': seed },
      };
    });
    const widths = widthsOf(landscape, factor);
    const picture = raysPicture(landscape, flags, widths, reach);
    finish(landscape, flags, context, picture, { widths });
    for (const width of widths) context.print(widthLine(width, reach));
  });

const epochs = (command: Command, context: CliContext): Command =>
  command
    .description('test error of raw and averaged weights over a run’s epochs: figure 6')
    .argument('<run>', 'directory of a report of train')
    .addOption(outputDirectory('--out <dir>', 'where data and picture go').makeOptionMandatory())
    .action((directory: string, { out }: { readonly out: string }) => {
      const run = readRunReport(directory);
      const written = write(out, 'epochs', {
        csv: testErrorCsv(run),
        json: testErrorJson(run),
        svg: testErrorPicture(run),
      });
      context.print(`data and picture in ${written}`);
    });

/** Loss and error around trained weights, measured anew at every point. */
export const landscape: RegisterCommand = (command, context) => {
  line(command.command('line'), context);
  plane(command.command('plane'), context);
  rays(command.command('rays'), context);
  epochs(command.command('epochs'), context);
};
