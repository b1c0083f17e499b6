import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBackend } from '../src/backends/choose.ts';
import { compilingOnce } from '../src/backends/compilingOnce.ts';
import { type ImageSet, imageBytes } from '../src/data/cifar.ts';
import { vgg } from '../src/nn/models/vgg.ts';
import { manualSeed, nextU32 } from '../src/torch/generator.ts';
import type { Dataset } from '../src/train/dataset.ts';
import type { TrainingEvent } from '../src/train/events.ts';
import type { TrainingRun } from '../src/train/loop/session.ts';
import { train } from '../src/train/loop/train.ts';
import { recipe, type TrainingSettings } from '../src/train/settings/trainingSettings.ts';

/** Random images, coloured by class so that something can be learnt. */
function images(count: number, seed: number): ImageSet {
  const g = manualSeed(seed);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const pixels = Uint8Array.from(
    { length: count * imageBytes },
    (_, i) => ((nextU32(g) % 128) + 12 * labels[Math.floor(i / imageBytes)]) & 255,
  );
  const classes = Array.from({ length: 10 }, (_, i) => `class ${i}`);
  return { images: pixels, labels, count, classes };
}

/** 20 training images make steps of 8, 8 and 4. */
export const tinyDataset: Dataset = { train: images(20, 1), test: images(12, 2) };
export const tinyStepsPerEpoch = 3;

/** VGG16BN with a sixteenth of its widths: everything that can go wrong with SWA, in milliseconds. */
export const tinyModel = vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 });

export const tinySettings: TrainingSettings = {
  ...recipe,
  model: 'vgg16bn',
  dataset: 'synthetic',
  batchSize: 8,
  epochs: 4,
  evalFreq: 2,
  swa: true,
  swaStart: 2,
};

export const tinyBackend = compilingOnce(await openBackend('ort', { threads: 1 }));

export const tinyRun = (
  directory: string,
  settings: Partial<TrainingSettings> = {},
  rest: Partial<TrainingRun> = {},
): TrainingRun => ({
  settings: { ...tinySettings, ...settings },
  model: tinyModel,
  dataset: tinyDataset,
  backend: tinyBackend,
  directory,
  saveFreq: 25,
  ...rest,
});

/** Runs to the end, or until `until` says so: then everything is dropped, as by a kill. */
export async function follow(
  run: TrainingRun,
  until: (event: TrainingEvent) => boolean = () => false,
): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of train(run)) {
    events.push(event);
    if (until(event)) break;
  }
  return events;
}

/** The events of one kind. */
export const ofKind = <K extends TrainingEvent['kind']>(
  events: readonly TrainingEvent[],
  kind: K,
) => events.filter((e): e is Extract<TrainingEvent, { kind: K }> => e.kind === kind);

/** A directory for one test; call `remove` when it is over. */
export function scratch(): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'swa-align-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
