export interface ScheduleSettings {
  /** Learning rate of the first half. */
  readonly lrInit: number;
  readonly epochs: number;
  /** With SWA the schedule stretches over `swaStart` epochs and ends at `swaLr`, else at 1 % of lrInit. */
  readonly swa?: { readonly start: number; readonly lr: number };
}

/**
 * Learning rate of an epoch (0-based): constant for the first half, then falling linearly until nine
 * tenths, then constant. With SWA "the whole" is `swa.start` epochs, not `epochs`, so the published
 * recipe reaches swa.lr at epoch 145 of 200. (Izmailov et al. 2018, section 4.1; the authors' train.py)
 */
export function learningRate(epoch: number, { lrInit, epochs, swa }: ScheduleSettings): number {
  const t = epoch / (swa?.start ?? epochs);
  const ratio = swa === undefined ? 0.01 : swa.lr / lrInit;
  if (t <= 0.5) return lrInit;
  if (t <= 0.9) return lrInit * (1 - ((1 - ratio) * (t - 0.5)) / 0.4);
  return lrInit * ratio;
}
