import { dirname, join } from 'node:path';
import { openBackend } from '../../backends/choose.ts';
import type { ImageSet } from '../../data/cifar.ts';
import { UsageError } from '../../errors.ts';
import { type LandscapeSettings, openKeptPoints } from '../../landscape/keptPoints.ts';
import { firstImages, measuring } from '../../landscape/measure.ts';
import type { PlacedWeights } from '../../landscape/places.ts';
import { type SurveyProgress, survey } from '../../landscape/survey.ts';
import { modelName, models, modelTitle } from '../../nn/models/index.ts';
import { hasBatchNorm } from '../../program/batchNormRefresh.ts';
import {
  imagesUsed,
  type Landscape,
  type LandscapeKind,
} from '../../report/landscape/landscape.ts';
import { notedDataPath } from '../../train/checkpoint/dataPath.ts';
import { checkClasses, datasetName, digestDataset } from '../../train/dataset.ts';
import { counted } from '../../words.ts';
import type { CliContext } from '../context.ts';
import { openNamedDataset } from '../download.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { live } from '../terminal/liveLine.ts';
import { bar, duration } from '../terminal/progress.ts';
import type { LandscapeFlags } from './flags.ts';
import { readSolutions, type Solutions } from './solutions.ts';

/** Where a kind of landscape is measured, and the settings of its own. */
export interface Plan {
  readonly places: readonly PlacedWeights[];
  readonly settings: LandscapeSettings;
}

/** As many images as asked for. Throws UsageError where the set holds fewer. */
function bounded(set: ImageSet, wanted: number | undefined, flag: string, what: string): ImageSet {
  if (wanted === undefined) return set;
  if (wanted <= set.count) return firstImages(set, wanted);
  throw new UsageError(`${flag} ${wanted}: there are ${counted(set.count, what)}`, {
    fix: `give ${set.count} or less, or leave ${flag} out`,
  });
}

/** The place in it, the loss, the pace, and the time that is left; then shorter ones. */
export function surveyLines(
  kind: LandscapeKind,
  { done, total, latest }: SurveyProgress,
  measured: number,
  elapsed: number,
): string[] {
  const pace = elapsed / measured;
  const place = (width: number): string =>
    `${kind} ${width === 0 ? '' : `${bar(done / total, width)} `}${done}/${total}`;
  const loss = `training loss ${latest.trainLoss.toFixed(4)}`;
  const speed = `${pace.toPrecision(3)} s/point`;
  const left = `${duration(pace * (total - done))} left`;
  return [[place(20), loss, speed, left], [place(10), loss, left], [place(0), left], [left]].map(
    (parts) => parts.join('  '),
  );
}

/** Measures every point that is not kept yet; gives back the whole landscape. */
export async function makeLandscape(
  kind: LandscapeKind,
  words: readonly string[],
  flags: LandscapeFlags,
  context: CliContext,
  plan: (read: Solutions) => Plan,
): Promise<Landscape> {
  const read = readSolutions(words, {
    ...(flags.model !== undefined && { model: modelName(flags.model) }),
    ...(flags.dataset !== undefined && { dataset: datasetName(flags.dataset) }),
  });
  const { model, settings, solutions, notes } = read;
  for (const note of notes) context.print(note);
  const { places, settings: own } = plan(read);
  const named = flags.dataset === undefined ? settings.dataset : datasetName(flags.dataset);
  checkClasses(settings.dataset, named);
  live.begin(`reading ${named}`);
  const dataPath = flags.dataPath ?? notedDataPath(dirname(solutions[0].file), named);
  const dataset = await openNamedDataset(named, dataPath);
  const train = bounded(dataset.train, flags.samples, '--samples', 'training image');
  const refresh = bounded(
    dataset.train,
    flags.bnSamples ?? flags.samples,
    '--bn-samples',
    'training image',
  );
  const test = bounded(dataset.test, flags.testSamples, '--test-samples', 'test image');
  const batchSize = flags.batchSize ?? settings.batchSize;
  const lost = await context.claims.claim(flags.out, 'give another --out');
  live.begin(`opening ${flags.backend}`);
  const backend = await openBackend(flags.backend, flags);
  const digest = digestDataset(dataset);
  const all: LandscapeSettings = {
    model: modelTitle(settings),
    ...Object.fromEntries(
      solutions.map(({ sha256 }, i) => [`weights ${i + 1} of SHA-256`, sha256] as const),
    ),
    'training images of SHA-256': digest.train,
    'test images of SHA-256': digest.test,
    '--samples': train.count,
    '--bn-samples': hasBatchNorm(model) ? refresh.count : 0,
    '--test-samples': test.count,
    '--batch-size': batchSize,
    ...own,
    backend: backend.description,
  };
  const kept = openKeptPoints(join(flags.out, `${kind}.points.jsonl`), all);
  const images = {
    train: train.count,
    refresh: refresh.count,
    test: test.count,
    ofTrain: dataset.train.count,
    ofTest: dataset.test.count,
  };
  const begun = kept.points.length;
  const before = begun === 0 ? '' : `, ${begun} of them measured before`;
  context.print(`${counted(places.length, 'point')} on ${backend.description}${before}`);
  for (const line of imagesUsed({ images }, hasBatchNorm(model))) context.print(line);
  const stop = new AbortController();
  lost.addEventListener('abort', () => stop.abort(lost.reason));
  const release = onInterrupt({
    stop,
    because: {
      what: 'landscape interrupted',
      fix: 'the points so far are kept; the same command continues',
    },
  });
  const from = performance.now();
  const tell = (progress: SurveyProgress): void => {
    const elapsed = (performance.now() - from) / 1000;
    live.show(surveyLines(kind, progress, progress.done - begun, elapsed));
  };
  const setup = {
    model,
    preparation: models[settings.model].preparation,
    train,
    refresh,
    test,
    batchSize,
  };
  try {
    if (begun < places.length) live.begin('the first point');
    const points = await measuring(backend, setup, (measure) =>
      survey(places, kept, measure, { signal: stop.signal, tell }),
    );
    return {
      kind,
      model: modelTitle(settings),
      dataset: named,
      classes: dataset.train.classes.length,
      solutions: solutions.map(({ name, sha256 }) => ({ name, sha256 })),
      images,
      backend: backend.description,
      settings: all,
      points,
    };
  } finally {
    release();
    live.clear();
  }
}
