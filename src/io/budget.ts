const MiB = 2 ** 20;

/** What a file may unfold to in memory: a floor for small files, then a multiple of its size. */
const FLOOR = 64 * MiB;
const RATIO = 16;

/**
 * Guards formats in which one stored buffer can be named many times (shared storages, zero strides,
 * memoised bytes): `spend(n)` counts n bytes of new tensors and throws `tooMuch` of the limit once
 * they exceed 16 times the file, with 64 MiB granted to any file.
 */
export function memoryBudget(
  fileBytes: number,
  tooMuch: (limit: string) => Error,
): (bytes: number) => void {
  const limit = Math.max(FLOOR, RATIO * fileBytes);
  let spent = 0;
  return (bytes) => {
    spent += bytes;
    if (spent > limit) throw tooMuch(`${Math.round(limit / MiB)} MiB`);
  };
}
