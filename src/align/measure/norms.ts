/** Squares of numbers between these neither overflow nor vanish, however many are added. */
const [smallest, largest] = [2 ** -400, 2 ** 400];

/** The power of two that numbers must be divided by before they are squared: mostly none. */
export function exponentFor(values: Float64Array): number {
  let size = 0;
  for (let i = 0; i < values.length; i++) size = Math.max(size, Math.abs(values[i]));
  return (size > largest && size < Infinity) || (size > 0 && size < smallest)
    ? Math.max(Math.floor(Math.log2(size)), -1000)
    : 0;
}

/** Each over 2^exponent. */
export const scaled = (values: Float64Array, exponent: number): Float64Array =>
  exponent === 0 ? values : times(values, 2 ** -exponent);

export function times(values: Float64Array, factor: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i] * factor;
  return out;
}

/** The largest of them, and 0 at least; NaN where one is. */
export function largestOf(values: Float64Array): number {
  let largest = 0;
  // Math.max keeps a NaN that a comparison would lose behind a later number.
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  return largest;
}

export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}
