/** What a run decides by, each as the reference used it. */
export interface RunSettings {
  readonly lrInit: number;
  /** With averaging: the first epoch, counted from 1, whose weights join, and after how many more the next. */
  readonly swa?: { readonly start: number; readonly lr: number; readonly cycle: number };
  readonly epochs: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Steps that were done before what is told here begins. */
  readonly from: number;
}

/** Epochs, from 0, that end in it. */
export const epochsOf = ({ epochs, steps, from }: RunSettings): number[] => {
  const done = Math.floor(from / steps);
  return Array.from({ length: epochs - done }, (_, i) => done + i);
};
