import { existsSync } from 'node:fs';
import { z } from 'zod';
import { InputError, UsageError } from '../errors.ts';
import { openGrowingFile } from '../io/output/growingFile.ts';
import { readFileOrFail } from '../io/readFile.ts';
import type { Measured } from './measure.ts';

/*
 * A file that holds every point as soon as it is measured, a line of JSON each behind one of settings: a landscape that
 * was stopped, or killed, goes on from there. What is not finite is written by its name, for JSON has no word for it.
 */

/** What a landscape depends on, by the words in which a person knows it. */
export type LandscapeSettings = Readonly<Record<string, string | number>>;

const format = 'swa-align landscape points/1';

const headSchema = z.strictObject({
  format: z.literal(format),
  settings: z.record(z.string(), z.union([z.string(), z.number()])),
});

const number = z.union([
  z.number(),
  z.enum(['NaN', 'Infinity', '-Infinity']).transform((word) => Number(word)),
]);

const pointSchema = z.strictObject({
  trainLoss: number,
  trainWrong: z.int(),
  testLoss: number,
  testWrong: z.int(),
  norm: number,
}) satisfies z.ZodType<Measured, unknown>;

const lineOf = (value: unknown): string =>
  `${JSON.stringify(value, (_, v) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v))}\n`;

/** The points of a landscape under way. */
export interface KeptPoints {
  /** In the order in which they were measured. */
  readonly points: readonly Measured[];
  /** Throws InputError when the disk does not take it. */
  add(point: Measured): void;
}

const withSetting = (name: string, settings: LandscapeSettings): string =>
  settings[name] === undefined ? `without ${name}` : `with ${name} ${settings[name]}`;

/** Throws UsageError at the first setting that differs: points of two landscapes would be mixed. */
function checkSame(began: LandscapeSettings, now: LandscapeSettings, where: string): void {
  for (const name of new Set([...Object.keys(began), ...Object.keys(now)])) {
    if (began[name] === now[name]) continue;
    throw new UsageError(`was started ${withSetting(name, began)}, not ${withSetting(name, now)}`, {
      where,
      fix: 'give the same to continue, or another --out',
    });
  }
}

function parsed<T>(schema: z.ZodType<T, unknown>, line: string, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  throw new InputError('holds no points of a landscape, or is damaged', {
    where,
    fix: 'give another --out, or remove the file to start again',
  });
}

/** What a file holds; what was cut off amid its last line is none of it. */
function keptIn(text: string, settings: LandscapeSettings, path: string): Measured[] {
  const [head, ...lines] = text.split('\n').slice(0, -1);
  if (head === undefined) return [];
  checkSame(parsed(headSchema, head, path).settings, settings, path);
  return lines.map((line, i) => parsed(pointSchema, line, `${path}, line ${i + 2}`));
}

/** Opens the file of a landscape's points, or begins it. Throws UsageError where it was begun with other settings. */
export function openKeptPoints(path: string, settings: LandscapeSettings): KeptPoints {
  const text = existsSync(path) ? new TextDecoder().decode(readFileOrFail(path)) : '';
  const points = keptIn(text, settings, path);
  const lines = [{ format, settings }, ...points].map(lineOf);
  const file = openGrowingFile(path, () => lines.join(''));
  return { points, add: (point) => file.add(lineOf(point)) };
}
