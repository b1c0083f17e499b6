/** Squares of numbers between these neither overflow nor vanish, however many are added. */
const [smallest, largest] = [2 ** -400, 2 ** 400];

/** The power of two that numbers must be divided by before they are squared: mostly none. */
export function exponentFor(values: Float64Array): number {
  let size = 0;
  for (const v of values) size = Math.max(size, Math.abs(v));
  return (size > largest && size < Infinity) || (size > 0 && size < smallest)
    ? Math.max(Math.floor(Math.log2(size)), -1000)
    : 0;
}

/** Each over 2^exponent. */
export const scaled = (values: Float64Array, exponent: number): Float64Array =>
  exponent === 0 ? values : values.map((v) => v * 2 ** -exponent);

export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}
