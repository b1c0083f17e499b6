/**
 * The bars, and why they stand where they do. PyTorch's own float32 distance to float64 is recorded in
 * each reference's manifest (`noise`) and shown beside ours.
 */
export const tolerances = {
  /** reprod_log's usual bar for logits and losses of order one: some tens of float32 roundings. */
  meanAbs: 1e-6,
  /**
   * Our error to float64 in units of PyTorch's own float32 error there. Two right programs that add in
   * different orders are within 2 of each other nearly always; 4 leaves room for tensors of a few elements,
   * where chance counts. (Worst seen: see the log of each stage.)
   */
  ratio: 4,
  /** Our float64 oracle and PyTorch's float64 differ by some hundred roundings of 1.1e-16 at most. */
  oracle: 1e-11,
  /** The exporter's margins: a decision this near its kink, in RMS of the layer, is rounding's to take, */
  kinkMargin: 1e-6,
  /** or this many times the layer's float32 error, where that is more. */
  kinkNoiseFactor: 5,
  /** PyTorch's worst gradient on the kink-free batch is 1.6e-6 from the truth: three times that. */
  relativeL2: 5e-6,
  /** The same for batch-norm models, whose normalisation magnifies rounding: PyTorch's worst is 1.5e-5. */
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
