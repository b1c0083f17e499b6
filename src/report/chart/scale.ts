/** How numbers become places on an axis. */
export interface Scale {
  /** 0 at the beginning of the axis, 1 at its end. */
  place(value: number): number;
  readonly ticks: readonly Tick[];
}

export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** The nearest of 1, 2, 5, 10, 20 … from `least` upwards. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((f) => f * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** As many digits as the steps between ticks need, so that all labels of an axis look alike. */
const decimalsOf = (step: number): number => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

function linearTicks(low: number, high: number, step: number): Tick[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const decimals = decimalsOf(step);
  return Array.from({ length: last - first + 1 }, (_, i) => {
    // A multiple of the step, not a sum: 0.1 + 0.2 would not be 0.3.
    const value = (first + i) * step;
    return { value, label: value.toFixed(decimals) };
  });
}

const linear = (low: number, high: number, ticks: readonly Tick[]): Scale => ({
  place: (value) => (value - low) / (high - low),
  ticks,
});

const finite = (values: readonly number[]): number[] => values.filter(Number.isFinite);

const extent = (values: readonly number[]): [low: number, high: number] => [
  values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
  values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
];

/** Whole numbers, such as epochs: from the first to the last, ticks only on whole numbers. */
export function wholeScale(values: readonly number[], wanted: number): Scale {
  const numbers = finite(values);
  const [low, high] = numbers.length === 0 ? [0, 1] : extent(numbers);
  const [from, to] = low === high ? [low - 0.5, high + 0.5] : [low, high];
  const step = Math.max(1, roundStep((to - from) / wanted));
  const ticks = linearTicks(from, to, step);
  // The run begins at epoch 1, which no round step meets.
  if (step > 1 && ticks[0].value - from >= step / 2)
    ticks.unshift({ value: from, label: `${from}` });
  return linear(from, to, ticks);
}

/** Any numbers, from the first to the last; ticks on round ones in between. */
export function exactScale(values: readonly number[], wanted: number): Scale {
  const numbers = finite(values);
  const [low, high] = numbers.length === 0 ? [0, 1] : extent(numbers);
  const [from, to] = low === high ? [low - 0.5, high + 0.5] : [low, high];
  return linear(from, to, linearTicks(from, to, roundStep((to - from) / wanted)));
}

/** Round numbers at both ends. */
function roundScale(low: number, high: number, wanted: number): Scale {
  const step = roundStep((high - low) / wanted);
  const from = Math.floor(low / step + 1e-9) * step;
  const to = Math.ceil(high / step - 1e-9) * step;
  return linear(from, to, linearTicks(from, to, step));
}

/** From zero to a round number above the largest. */
export function zeroBasedScale(values: readonly number[], wanted: number): Scale {
  const [, high] = extent([0, ...finite(values)]);
  return roundScale(0, high > 0 ? high : 1, wanted);
}

/** A span this small a share of the numbers is drawn no larger: what is flat should look flat. */
const leastSpan = 0.02;

/** From about the smallest to about the largest. */
function spanScale(low: number, high: number, wanted: number): Scale {
  const margin = Math.max(0, (leastSpan * high - (high - low)) / 2);
  return roundScale(low - margin, high + margin, wanted);
}

const logLabel = (value: number): string =>
  value >= 1e-3 ? String(Number(value.toPrecision(1))) : value.toExponential(0);

/** Powers of ten that an axis of some 200 pixels has room to name. */
const mostPowers = 9;

/** Positive numbers by their ratios; ticks at 1, 2 and 5 times powers of ten, or fewer where they would crowd. */
export function logScale(low: number, high: number): Scale {
  const [from, to] = [Math.log10(low / 1.1), Math.log10(high * 1.1)];
  const factors = to - from > 3 ? [1] : [1, 2, 5];
  const stride = Math.ceil((to - from) / mostPowers);
  const powers = Array.from(
    { length: Math.floor(to) - Math.floor(from) + 1 },
    (_, i) => Math.floor(from) + i,
  ).filter((power) => power % stride === 0);
  // Read, not multiplied: 10 ** -6 is not the number that is written 1e-6.
  const values = powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)));
  const shown = values.filter((value) => Math.log10(value) >= from && Math.log10(value) <= to);
  return {
    place: (value) => (Math.log10(value) - from) / (to - from),
    ticks: shown.map((value) => ({ value, label: logLabel(value) })),
  };
}

/** Where the largest is so many times the smallest, a linear axis hides what happens at the end of a run. */
const wideRatio = 8;
/** Where it is not even so many times the smallest, an axis from zero is mostly empty. */
const narrowRatio = 3;

/** Logarithmic where the numbers span a wide range, from zero in between, and no farther than they reach else. */
export function rangeScale(
  values: readonly number[],
  wanted: number,
): { readonly scale: Scale; readonly logarithmic: boolean } {
  const numbers = finite(values);
  const [low, high] = extent(numbers);
  if (numbers.length === 0 || low <= 0) {
    return { scale: zeroBasedScale(numbers, wanted), logarithmic: false };
  }
  const logarithmic = high / low > wideRatio;
  if (logarithmic) return { scale: logScale(low, high), logarithmic };
  const scale =
    high / low < narrowRatio ? spanScale(low, high, wanted) : zeroBasedScale(numbers, wanted);
  return { scale, logarithmic };
}
