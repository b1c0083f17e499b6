/** What a person should read of the mistake, beside where it is. */
export interface CauseToRead {
  /** In the field's words. */
  readonly reads: string;
  /** What a told cause must say to be this one. */
  readonly says: RegExp;
}

const table = {
  weightTransposed: { reads: 'its weight is transposed', says: /transposed/ },
  weightTurned: { reads: 'its weight is turned by 180°', says: /turned|180°/ },
  noBias: {
    reads: 'the bias is missing',
    says: /bias.*(missing|not added|left out)|(missing|without).*bias/,
  },
  noActivation: {
    reads: 'the activation is missing: the reference has a ReLU',
    says: /activation is missing|without.*ReLU|ReLU.*missing/,
  },
  paddedOnOneSide: {
    reads: 'padded below and right only: shifted by one place',
    says: /padd|shifted/,
  },
  border: { reads: 'wrong only at the border: padding', says: /border|padding|rim|edge/ },
  batchStatistics: {
    reads: "normalised by the batch's statistics, not by the running ones",
    says: /batch('s)? statistics|statistics of the batch/,
  },
  kink: { reads: 'wrong only where the input is 0: a kink', says: /is 0\b|\bat 0\b|kink/ },
  tie: { reads: 'wrong only where two values are equal: a tie', says: /\btie|equal values/ },
  summedOverBatch: {
    reads: 'summed over the batch, not averaged',
    says: /summed over (the batch|\d+)/,
  },
  noMomentum: {
    reads: 'momentum is missing',
    says: /momentum.*(missing|zero|lost|not)|(no|without) momentum/,
  },
  noWeightDecay: {
    reads: 'weight decay is missing',
    says: /weight decay.*(missing|not|left out)|(no|without) weight decay/,
  },
  epochLate: {
    reads: "each epoch's rate is the previous one's: one epoch late",
    says: /late|previous epoch|epoch before/,
  },
  rateEnd: { reads: 'the rate ends elsewhere than at swa_lr', says: /ends at|swa_lr/ },
  otherEpochsJoin: {
    reads: 'other epochs join the average',
    says: /other epochs|\bearly\b|\blate\b|cycle/,
  },
  testBatches: {
    reads: 'the same images in batches of another size',
    says: /batch(es)? of (another|\d+)|batch size/,
  },
  shortBatchDropped: {
    reads: 'the last, short batch is missing',
    says: /(last|short).*batch.*(missing|dropped)|(missing|lacks|without).*last/,
  },
  normalisedOtherwise: {
    reads: 'normalised by other constants',
    says: /normalis|mean and (std|deviation)/,
  },
  notAugmented: { reads: 'images are not augmented', says: /not augmented|augmentation/ },
  rounding: {
    reads: 'the same but for the last places: rounded otherwise',
    says: /last place|round/,
  },
  otherDraws: {
    reads: 'drawn from another place of the generator: more or fewer draws before',
    says: /(more|fewer|less|other|earlier|later) draws?|draws? (more|fewer|less|earlier|later)/,
  },
  otherBound: {
    reads: "a factor × the reference's: drawn between other bounds",
    says: / × the reference|fan-/,
  },
  noRefresh: { reads: 'no pass refreshes the statistics', says: /no pass|nothing|missing/ },
  meanOfMeans: {
    reads: 'a mean over batches: a short one counts like a full one',
    says: /mean (of|over) (means|batches)|short batch|averaged over batches/,
  },
  notUpdated: {
    reads: 'not updated: it has its value of the start',
    // What starts at zero and stays there has been reached by nothing.
    says: /not updated|never updated|frozen|equals its value before|value of the start|nothing reached it/,
  },
  biased: {
    reads: 'from the biased variance, divided by n',
    says: /\bbiased|by n, not by n − 1|by the variance of n,/,
  },
  bfloat16: { reads: 'computed with the 8 bits of bfloat16', says: /bfloat16|bf16/i },
  float16: {
    reads: 'computed with the 11 bits of float16 or TF32',
    says: /float16|fp16|TF32|half precision/i,
  },
  accumulated: {
    reads: 'the gradients of all steps so far are added up',
    says: /added up|accumulat|not cleared|sum of .*(gradients|steps)/,
  },
} satisfies Record<string, CauseToRead>;

/** Causes that several mistakes have. */
export const causes: { readonly [Name in keyof typeof table]: CauseToRead } = table;
