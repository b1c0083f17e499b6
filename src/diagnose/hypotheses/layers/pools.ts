import { inputOf, sourcesOf } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { layerOf } from '../../layer.ts';
import type { Numbers } from '../../numbers.ts';
import {
  type Pooling,
  pooledBack,
  poolingOf,
  shared,
  taken,
  type Windows,
  windowAt,
} from '../../recompute/pooling.ts';
import type { Evidence, Suspect } from '../../suspect.ts';
import { type Computed, type Variant, variantFits } from '../../variants.ts';
import { blockOf, isSent, isValue } from './convolutions.ts';

const times = (sides: readonly number[]): string => sides.join('×');

/** Windows that are larger, or lie elsewhere, and give as many results. */
function otherWindows({ kernel, stride, padding }: Windows) {
  return [0, 1, 2].flatMap((more) =>
    [-1, 0, 1, 2].flatMap((out) => {
      const other = {
        kernel: kernel.map((k) => k + more),
        stride,
        padding: padding.map((p) => p + out),
      };
      if (more === 0 && out === 0) return [];
      const begins =
        out === 0 ? '' : `, beginning ${Math.abs(out)} ${out > 0 ? 'further out' : 'further in'}`;
      const overlap = more > 0 ? ' that overlap' : '';
      return [
        {
          key: `windows ${times(other.kernel)} ${times(other.padding)}`,
          says: `windows of ${times(other.kernel)}${overlap}${begins}, the reference has ${times(kernel)}`,
          windows: other,
        },
      ];
    }),
  );
}

/** How a rule of taking is told. */
const takes: Readonly<Record<string, string>> = {
  maximum: 'max pooling',
  average: 'average pooling',
  sum: 'the sum of each window',
  minimum: 'the minimum of each window',
  'average of what lies inside': 'average pooling without what is padded',
};

function outputFits(numbers: Numbers, suspect: Suspect, evidence: Evidence): Fit[] {
  const pooling = poolingOf(layerOf(suspect.what));
  const x = blockOf(sourcesOf(suspect, evidence).find(isValue), evidence);
  if (pooling === undefined || x?.shape.length !== 4) return [];
  const of = (windows: Windows, rule: string): Computed => {
    const window = windowAt(x, suspect.shape.slice(2), windows);
    const size = windows.kernel[0] * windows.kernel[1];
    return (at) =>
      taken[rule](
        window(at).map((place) => x.data[place]),
        size,
      );
  };
  const right = takes[pooling.takes];
  const variants: Variant[] = [
    ...Object.entries(takes).flatMap(([rule, name]): Variant[] =>
      rule === pooling.takes
        ? []
        : [
            {
              key: `pooling ${rule}`,
              says: `${name} is computed, the reference's is ${right}`,
              value: of(pooling, rule),
            },
          ],
    ),
    ...otherWindows(pooling).map(({ key, says, windows }) => ({
      key,
      says,
      value: of(windows, pooling.takes),
    })),
  ];
  return variantFits(numbers, of(pooling, pooling.takes), variants);
}

/** How a rule of sharing is told. */
const shares: Readonly<Record<string, string>> = {
  'the first maximum': 'to the first maximum of each window',
  'the last maximum': 'of two equal values the last takes the gradient: a tie',
  'all maxima alike': 'equal values share the gradient: a tie',
  'all maxima in full': 'equal values each take the whole gradient: a tie',
  'all places alike': 'spread over the window, as average pooling does',
  'all places in full': 'each place of a window takes the whole gradient',
};

const rightly: { readonly [T in Pooling['takes']]: string } = {
  maximum: 'the first maximum',
  average: 'all places alike',
};

function backFits(numbers: Numbers, suspect: Suspect, evidence: Evidence): Fit[] {
  const pooling = poolingOf(layerOf(suspect.what));
  const sent = sourcesOf(suspect, evidence).filter(isSent);
  const [x, dy] = [inputOf(suspect, evidence), sent[0]].map((held) => blockOf(held, evidence));
  if (pooling === undefined || sent.length !== 1 || x?.shape.length !== 4 || dy === undefined)
    return [];
  const of = (rule: string): Computed => {
    let made: Float64Array | undefined;
    return (at) => {
      made ??= pooledBack(x, dy, pooling, shared[rule]);
      return made[at];
    };
  };
  const right = rightly[pooling.takes];
  const variants = Object.entries(shares).flatMap(([rule, says]): Variant[] =>
    rule === right ? [] : [{ key: `gradient by ${rule}`, says, value: of(rule) }],
  );
  return variantFits(numbers, of(right), variants);
}

/** What a pooling layer does otherwise than the reference's. */
export const poolHypotheses: readonly Hypothesis[] = [
  {
    name: 'pooling',
    about: 'average for maximum, other windows, or ties that send their gradient elsewhere',
    fits: (numbers, suspect, evidence) =>
      suspect.kind === 'output gradient'
        ? backFits(numbers, suspect, evidence)
        : suspect.kind === 'output' || suspect.kind === 'prediction'
          ? outputFits(numbers, suspect, evidence)
          : [],
  },
];
