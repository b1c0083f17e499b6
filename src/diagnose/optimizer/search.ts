import type { Chosen } from './rule.ts';

const gridPoints = 40;
const narrowings = 60;
const golden = (Math.sqrt(5) - 1) / 2;

const logit = (x: number): number => Math.log(x / (1 - x));
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** The value in a number's range that is least off: on a grid first, then by golden section round its best point. */
export function nearest(
  { within: [low, high], share }: Pick<Chosen<unknown>, 'within' | 'share'>,
  off: (value: number) => number,
): number {
  const [into, out] = share === true ? [logit, logistic] : [Math.log, Math.exp];
  const [from, to] = [into(low), into(high)];
  const stride = (to - from) / (gridPoints - 1);
  const at = (x: number): number => off(out(x));
  let [best, least] = [from, Number.POSITIVE_INFINITY];
  for (let k = 0; k < gridPoints; k++) {
    const found = at(from + k * stride);
    if (found < least) [best, least] = [from + k * stride, found];
  }
  let [a, b] = [best - stride, best + stride];
  let [x, y] = [b - golden * (b - a), a + golden * (b - a)];
  let [atX, atY] = [at(x), at(y)];
  for (let k = 0; k < narrowings; k++) {
    if (atX < atY) {
      [b, y, atY] = [y, x, atX];
      x = b - golden * (b - a);
      atX = at(x);
    } else {
      [a, x, atX] = [x, y, atY];
      y = a + golden * (b - a);
      atY = at(y);
    }
  }
  return out((a + b) / 2);
}

/** The roundest number near a value that does as well: `0.05` for 0.0500003, `0.9999` for 0.99990002. */
export function rounded(value: number, does: (value: number) => boolean): number | undefined {
  const near = [1, 2, 3].flatMap((digits) => {
    const tail = Number((1 - value).toPrecision(digits));
    const fromOne = value > 0.9 && value < 1 ? [Number((1 - tail).toPrecision(12))] : [];
    return [Number(value.toPrecision(digits)), ...fromOne];
  });
  return near.find(does);
}
