import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { seedSchema } from '../../torch/seed.ts';
import { type LogRow, logRowSchema } from '../../train/logRow.ts';

/*
 * `run.json`: all that is worth keeping of a finished run beside its log. fixtures/train_in_torch.py writes
 * the same about PyTorch's side, so every reader takes either.
 */

const format = 'swa-align run/1';

const finalSchema = z.strictObject({
  /** After the last epoch, in percent. */
  final: z.number(),
  best: z.number(),
  /** The first epoch that reached `best`. */
  bestEpoch: z.int(),
});

const splitSchema = z.looseObject({ images: z.int().min(0), sha256: z.string() });

const textOrNumber = z.union([z.string(), z.number()]);

/** Loose where each side has facts of its own. */
export const runReportSchema = z.looseObject({
  format: z.literal(format),
  name: z.string(),
  /** "swa-align 0.1.0", "PyTorch 2.13.0+cpu" */
  by: z.string(),
  settings: z.looseObject({
    model: z.string(),
    /** By how much every width is divided; absent where none is. */
    narrow: z.int().min(2).optional(),
    dataset: z.string(),
    epochs: z.int().min(1),
    swa: z.boolean(),
    swaStart: z.int().min(1),
    seed: seedSchema,
  }),
  versions: z.record(z.string(), z.string()),
  backend: z.record(z.string(), textOrNumber),
  platform: z.record(z.string(), textOrNumber),
  dataset: z.strictObject({ train: splitSchema, test: splitSchema }),
  /** File in the run's directory → SHA-256. */
  weights: z.record(z.string(), z.string()),
  accuracy: z.strictObject({ sgd: finalSchema.optional(), swa: finalSchema.optional() }),
  seconds: z.strictObject({
    /** Null where nobody knows the time any more; of an epoch that was resumed, the part since then. */
    epochs: z.array(z.number().nullable()),
    /** Of the epochs whose time is known. */
    total: z.number(),
  }),
  rows: z.array(logRowSchema),
});

export type RunReport = Readonly<z.infer<typeof runReportSchema>>;

/** The network of a run as titles call it: `VGG16BN`, `VGG16BN, widths ÷ 8`. */
export const networkTitle = ({
  model,
  narrow,
}: {
  readonly model: string;
  readonly narrow?: number | undefined;
}): string =>
  narrow === undefined ? model.toUpperCase() : `${model.toUpperCase()}, widths ÷ ${narrow}`;

/** What a report is made of; the rest follows from it. */
export type RunFacts = Pick<
  RunReport,
  'name' | 'by' | 'settings' | 'versions' | 'backend' | 'platform' | 'dataset' | 'weights' | 'rows'
> & {
  /** By row; undefined where the time is not known. */
  readonly epochSeconds: readonly (number | undefined)[];
};

function summary(rows: readonly LogRow[], of: 'testAccuracy' | 'swaTestAccuracy') {
  const tested = rows.flatMap((row) => {
    const accuracy = row[of];
    return accuracy === undefined ? [] : [{ epoch: row.epoch, accuracy }];
  });
  const last = tested.at(-1);
  if (last === undefined) return undefined;
  const best = tested.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  return { final: last.accuracy, best: best.accuracy, bestEpoch: best.epoch };
}

export function runReport({ epochSeconds, ...facts }: RunFacts): RunReport {
  const sgd = summary(facts.rows, 'testAccuracy');
  const swa = summary(facts.rows, 'swaTestAccuracy');
  return runReportSchema.parse({
    ...facts,
    format,
    accuracy: { ...(sgd && { sgd }), ...(swa && { swa }) },
    seconds: {
      epochs: epochSeconds.map((seconds) => seconds ?? null),
      total: epochSeconds.reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0),
    },
  });
}

export const runJson = (report: RunReport): string => `${JSON.stringify(report, null, 1)}\n`;

/** Reads the text of a `run.json`. Throws InputError, naming `where`. */
export function parseRunJson(text: string, where: string): RunReport {
  const unfit = (what: string): InputError =>
    new InputError(what, {
      where,
      fix: 'name a directory that a finished run wrote its report to',
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unfit('is not JSON');
  }
  const parsed = runReportSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unfit(`is not a report of a run: ${issue.path.join('.')}: ${issue.message}`);
}
