import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { UsageError } from '../../errors.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { type WeightKind, weightKinds } from '../../io/torch/weightSets.ts';
import { vectorOf, type WeightVector } from '../../landscape/weightVector.ts';
import { type ModelName, modelTitle } from '../../nn/models/index.ts';
import type { Network } from '../../nn/module.ts';
import { bytesOf } from '../../tensor/tensor.ts';
import { readTrainedModel } from '../../train/checkpoint/trainedModel.ts';
import { classCount } from '../../train/dataset.ts';
import type { DatasetName, TrainingSettings } from '../../train/settings/trainingSettings.ts';

/** A point named on the command line: `[NAME=]FILE[:raw|:swa]`. */
export interface NamedPoint {
  readonly name?: string;
  readonly file: string;
  readonly kind?: WeightKind;
}

/** How a point is written, for help texts. */
export const pointForm = '[NAME=]FILE[:raw|:swa]';

/** Takes a word apart. What is a file as it stands, is that file. */
export function namedPoint(word: string): NamedPoint {
  if (existsSync(word)) return { file: word };
  const [, name, rest] = /^(?:([^=/\\]+)=)?(.*)$/s.exec(word) ?? [];
  const named = name === undefined ? {} : { name };
  if (existsSync(rest)) return { ...named, file: rest };
  const kind = weightKinds.find((known) => rest.endsWith(`:${known}`));
  return kind === undefined
    ? { ...named, file: rest }
    : { ...named, file: rest.slice(0, -kind.length - 1), kind };
}

/** A point of weight space that somebody has trained. */
export interface Solution {
  readonly name: string;
  readonly file: string;
  readonly kind: WeightKind;
  readonly vector: WeightVector;
  /** Of the parameters, by their bytes. */
  readonly sha256: string;
}

export interface Solutions {
  readonly model: Network;
  readonly settings: TrainingSettings;
  readonly solutions: readonly Solution[];
  readonly notes: readonly string[];
}

const digestOf = (vector: WeightVector): string =>
  sha256Hex(
    new TextEncoder().encode(
      [...vector].map(([name, t]) => `${name} ${sha256Hex(bytesOf(t))}\n`).join(''),
    ),
  );

/** The files' names without endings where these tell them apart, else with the kind of their weights. */
function namesOf(points: readonly (NamedPoint & { readonly kind: WeightKind })[]): string[] {
  const short = points.map(({ name, file }) => name ?? basename(file, extname(file)));
  const full = points.map(({ name, kind }, i) => name ?? `${short[i]} (${kind})`);
  const apart = (names: readonly string[]): boolean => new Set(names).size === names.length;
  if (apart(short)) return short;
  if (apart(full)) return full;
  throw new UsageError('two points have one name', {
    where: firstTwice(full),
    fix: `name them yourself: ${pointForm}`,
  });
}

const firstTwice = (names: readonly string[]): string =>
  names.find((name, i) => names.indexOf(name) !== i) ?? '';

function checkAlike(first: TrainingSettings, other: TrainingSettings, file: string): void {
  const [a, b] = [first, other].map((settings) => ({
    title: modelTitle(settings),
    classes: classCount(settings.dataset),
  }));
  const fix = 'name points of one model';
  if (a.title !== b.title) {
    throw new UsageError(`holds ${b.title}, the first point ${a.title}`, { where: file, fix });
  }
  if (a.classes === b.classes) return;
  throw new UsageError(`has ${b.classes} classes, the first point ${a.classes}`, {
    where: file,
    fix,
  });
}

/**
 * Reads the points, which must be of one model. Throws UsageError and InputError, naming the file, where one is not or
 * cannot be read.
 */
export function readSolutions(
  words: readonly string[],
  given: { readonly model?: ModelName; readonly dataset?: DatasetName },
): Solutions {
  const points = words.map(namedPoint);
  let first: TrainingSettings | undefined;
  const read = points.map((point) => {
    const trained = readTrainedModel(point.file, {
      ...given,
      ...(point.kind !== undefined && { kind: point.kind }),
      ...(first !== undefined && { bare: first }),
    });
    first ??= trained.settings;
    checkAlike(first, trained.settings, point.file);
    return { ...point, ...trained };
  });
  const names = namesOf(read);
  const [{ model, settings }] = read;
  return {
    model,
    settings,
    notes: read.flatMap(({ file, notes }) => notes.map((note) => `${file}: ${note}`)),
    solutions: read.map(({ file, kind, weights, model: own }, i) => {
      const vector = vectorOf(own, weights);
      return { name: names[i], file, kind, vector, sha256: digestOf(vector) };
    }),
  };
}
