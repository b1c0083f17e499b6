/** A measured value in as few characters as it can be judged by: `0.703`, `6.8e-7`, `0`. */
export const shortNumber = (x: number): string =>
  x === 0 || (Math.abs(x) >= 0.01 && Math.abs(x) < 1000)
    ? String(Number(x.toPrecision(3)))
    : x.toExponential(1);
