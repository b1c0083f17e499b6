/**
 * The bars, and why they stand where they do (docs/tolerances.md). The yardstick is PyTorch's own float32
 * error to float64 on the same tensor; the fixed ones bound it from above.
 */
export const tolerances = {
  /**
   * reprod_log's usual bar for logits and losses of order one: some tens of float32 roundings. Kept beside
   * the ratio because the original port's logs are held to it, and because a loss is one number, whose
   * ratio would be chance.
   */
  meanAbs: 1e-6,
  /**
   * Our error to float64 in units of PyTorch's own float32 error there. Two right programs that add in
   * different orders are within 2 of each other (worst seen 1.5); 4 leaves room for other machines, and for
   * tensors of a few elements, where chance counts.
   */
  ratio: 4,
  /** Our float64 oracle and PyTorch's float64 differ by some hundred roundings of 1.1e-16 at most. */
  oracle: 1e-11,
  /** The exporter's margins: a decision this near its kink, in RMS of the layer, is rounding's to take, */
  kinkMargin: 1e-6,
  /** or this many times the layer's float32 error, where that is more. */
  kinkNoiseFactor: 5,
  /**
   * Upper bound on any relative error, whatever PyTorch's own: needed because the ratio says nothing where
   * PyTorch itself flipped a decision, and as the measure of `moments` and of flips. PyTorch's worst gradient
   * on the kink-free batch is 1.3e-6 from the truth: four times that.
   */
  relativeL2: 5e-6,
  /** The same for batch-norm models, whose normalisation magnifies rounding: PyTorch's worst is 1.7e-5. */
  relativeL2BatchNorm: 5e-5,
  /** PyTorch fuses multiply and add in its update, we round between: a unit or two a step, three steps. */
  updateUlp: 4,
  /** A loss may be this many times as far from PyTorch as PyTorch is from the truth. */
  lossNoiseFactor: 4,
  /** A loss curve may stray ten times as far as PyTorch strays from itself. */
  lossFloorFactor: 10,
  /** The floor below which such a distance is chance. */
  lossFloor: 1e-6,
} as const;
