import { z } from 'zod';

const finite = z.number();

/** One epoch's line of the log; absent where nothing was evaluated. Losses are means over images. */
export const logRowSchema = z.strictObject({
  /** Counted from 1. */
  epoch: z.int().min(1),
  lr: finite,
  trainLoss: finite,
  /** In percent, as all accuracies here. */
  trainAccuracy: finite,
  testLoss: finite.optional(),
  testAccuracy: finite.optional(),
  swaTestLoss: finite.optional(),
  swaTestAccuracy: finite.optional(),
});

export type LogRow = Readonly<z.infer<typeof logRowSchema>>;

/** What an epoch has added up so far. */
export const epochSumsSchema = z.strictObject({
  /** Σ over batches of mean loss · images. */
  loss: finite,
  /** Right predictions, made before each step's update. */
  correct: finite,
});

export type EpochSums = Readonly<z.infer<typeof epochSumsSchema>>;

export const noSums: EpochSums = { loss: 0, correct: 0 };
