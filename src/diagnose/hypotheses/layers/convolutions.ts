import { sameShape } from '../../../tensor/shape.ts';
import { toFloat64 } from '../../../tensor/tensor.ts';
import { sourcesOf, wholeOf } from '../../around.ts';
import type { Fit, Hypothesis } from '../../hypothesis.ts';
import { layerOf } from '../../layer.ts';
import type { Numbers } from '../../numbers.ts';
import {
  asKernels,
  asMaps,
  type Block,
  type Convolution,
  convolutionOf,
  convolved,
  type Moves,
  type Rim,
  sentBack,
  weightSentBack,
} from '../../recompute/convolution.ts';
import { withinStep } from '../../stepName.ts';
import type { Evidence, Held, Suspect } from '../../suspect.ts';
import { type Variant, variantFits } from '../../variants.ts';

/** What our side computed under a name, or where it did not, what the reference holds; undefined unless whole. */
export function blockOf(held: Held | undefined, evidence: Evidence): Block | undefined {
  if (held === undefined) return undefined;
  const { name, shape } = held;
  const own = evidence.ours(name);
  // As it lies: there are many that might be looked at.
  if (own !== undefined && own.dtype !== 'int64' && sameShape(own.shape, shape))
    return { shape, data: own.data as ArrayLike<number> };
  const data = wholeOf(held);
  return data && { shape, data };
}

const isWeight = ({ kind, shape }: Held): boolean => kind === 'weight' && shape.length > 1;
const isBias = ({ kind, shape }: Held): boolean => kind === 'weight' && shape.length === 1;
export const isValue = ({ kind, shape }: Held): boolean =>
  shape.length > 1 && (kind === 'output' || kind === 'input' || kind === 'prediction');
export const isSent = ({ kind }: Held): boolean => kind === 'output gradient';

/** Every order of some letters but the given one. */
function otherOrders(letters: string): string[] {
  const all = (rest: string): string[] =>
    rest.length < 2
      ? [rest]
      : [...rest].flatMap((x) => all(rest.replace(x, '')).map((tail) => x + tail));
  return all(letters).filter((order) => order !== letters);
}

/** A weight whose numbers lie in another order than its shape says: `HWIO` is that of TensorFlow. */
function laidOut({ shape, data }: Block, letters: string, order: string): Block {
  const extents = [...order].map((letter) => shape[letters.indexOf(letter)]);
  const strides = extents.map((_, k) => extents.slice(k + 1).reduce((a, b) => a * b, 1));
  const steps = [...letters].map((letter) => strides[order.indexOf(letter)]);
  const out = new Float64Array(data.length);
  const at = shape.map(() => 0);
  for (let flat = 0; flat < out.length; flat++) {
    out[flat] = data[at.reduce((sum, index, k) => sum + index * steps[k], 0)];
    for (let k = shape.length - 1; k >= 0 && ++at[k] === shape[k]; k--) at[k] = 0;
  }
  return { shape, data: out };
}

/** A weight with some of its last two axes backwards. */
function mirrored({ shape, data }: Block, rows: boolean, columns: boolean): Block {
  const [h, w] = shape.slice(-2);
  const out = Float64Array.from(data, (_, flat) => {
    const [row, column] = [Math.floor(flat / w) % h, flat % w];
    const [y, x] = [rows ? h - 1 - row : row, columns ? w - 1 - column : column];
    return data[flat - row * w - column + y * w + x];
  });
  return { shape, data: out };
}

interface OtherWeight extends Pick<Fit, 'key' | 'says'> {
  readonly weight: Block;
}

/** The weight in other orders; each is made when it is asked for. */
function* otherWeights(weight: Block, linear: boolean): Generator<OtherWeight> {
  const letters = linear ? 'OI' : 'OIHW';
  const [plain, kernels] = [
    linear ? { ...weight, shape: weight.shape.slice(0, 2) } : weight,
    weight,
  ];
  for (const order of otherOrders(letters)) {
    // An axis of one place lies anywhere: it is told in its own.
    if ([...order].some((x, k) => x !== letters[k] && weight.shape[letters.indexOf(x)] === 1))
      continue;
    const says = linear
      ? 'its weight is transposed'
      : order === 'IOHW'
        ? 'its weight is transposed: it lies in the order IOHW, not OIHW'
        : `its weight lies in the order ${order}, not OIHW`;
    const other = laidOut(plain, letters, order);
    yield { key: `weight ${order}`, says, weight: { ...other, shape: kernels.shape } };
  }
  if (linear) return;
  yield {
    key: 'weight turned',
    says: 'its weight is turned by 180°',
    weight: mirrored(weight, true, true),
  };
  for (const [rows, columns, which] of [
    [true, false, 'rows'],
    [false, true, 'columns'],
  ] as const) {
    yield {
      key: `weight mirrored ${which}`,
      says: `the ${which} of its weight are in reverse order`,
      weight: mirrored(weight, rows, columns),
    };
  }
}

/** One place further in some direction. */
const shifts: readonly (readonly [number, number, string])[] = [
  [-1, -1, 'below and right'],
  [1, 1, 'above and left'],
  [-1, 0, 'below'],
  [1, 0, 'above'],
  [0, -1, 'right'],
  [0, 1, 'left'],
];

interface OtherMoves extends Pick<Fit, 'key' | 'says'> {
  readonly moves: Moves;
  readonly rim?: Rim;
}

function otherMoves(moves: Moves, kernel: readonly number[]): OtherMoves[] {
  const { padding, dilation } = moves;
  const rims: OtherMoves[] = (['reflect', 'replicate', 'circular'] as const).map((rim) => ({
    key: `padding ${rim}`,
    says: `padded by ${rim}, the reference pads with zeros`,
    moves,
    rim,
  }));
  const exchanged: OtherMoves[] =
    padding[0] === padding[1]
      ? []
      : [
          {
            key: 'padding exchanged',
            says: "its padding's rows and columns are exchanged",
            moves: { ...moves, padding: [padding[1], padding[0]] },
          },
        ];
  // Another dilation of the same result pads by as much more.
  const wider = [1, 2, 3].flatMap((d): OtherMoves[] => {
    const grown = (k: 0 | 1): number => ((d - dilation[k]) * (kernel[k + 2] - 1)) / 2;
    const other = [padding[0] + grown(0), padding[1] + grown(1)] as const;
    return (dilation[0] === d && dilation[1] === d) || !other.every(Number.isInteger)
      ? []
      : [
          {
            key: `dilation ${d}`,
            says: `dilation is ${d}, the reference's ${dilation.join('×')}`,
            moves: { ...moves, dilation: [d, d], padding: other },
          },
        ];
  });
  return [
    ...shifts.map(([down, across, where]) => ({
      key: `padded ${where}`,
      says: `its windows are shifted by one place: padded one more ${where}, or a stride that takes other places`,
      moves: { ...moves, padding: [padding[0] + down, padding[1] + across] as const },
    })),
    ...(padding.some((p) => p > 0) ? rims : []),
    ...exchanged,
    ...(kernel[2] * kernel[3] > 1 ? wider : []),
  ];
}

/** Everything else of a tensor's shape and kind that our side holds whole: what might have been taken in its place. */
function* othersOf(held: Held, evidence: Evidence): Generator<{ name: string; block: Block }> {
  for (const other of evidence.alike(held.shape)) {
    if (other.name === held.name || other.kind !== held.kind) continue;
    const block = blockOf(other, evidence);
    if (block !== undefined) yield { name: withinStep(other.name).bare, block };
  }
}

const takenFor = (name: string, held: Held): Pick<Fit, 'key' | 'says'> => {
  const right = withinStep(held.name).bare;
  return { key: `${name} for ${right}`, says: `computed from ${name}, not from ${right}` };
};

const sidesOf = ({ shape }: { readonly shape: readonly number[] }): readonly [number, number] => [
  shape[2],
  shape[3],
];

interface Parts {
  readonly convolution: Convolution;
  readonly sources: readonly Held[];
  readonly weight: Block;
}

function partsOf(suspect: Suspect, evidence: Evidence): Parts | undefined {
  const convolution = convolutionOf(layerOf(suspect.what));
  if (convolution === undefined) return undefined;
  const sources = sourcesOf(suspect, evidence);
  const weight = blockOf(sources.find(isWeight), evidence);
  return weight && { convolution, sources, weight: asKernels(weight) };
}

function* outputVariants(
  { convolution, weight }: Parts,
  x: Block,
  input: Held,
  evidence: Evidence,
  of: (x: Block, w: Block, moves: Moves, rim?: Rim) => (position: number) => number,
): Generator<Variant> {
  const { linear } = convolution;
  for (const { weight: other, ...told } of otherWeights(weight, linear))
    yield { ...told, value: of(x, other, convolution) };
  if (!linear)
    for (const { moves, rim, ...told } of otherMoves(convolution, weight.shape))
      yield { ...told, value: of(x, weight, moves, rim) };
  for (const { name, block } of othersOf(input, evidence))
    yield { ...takenFor(name, input), value: of(asMaps(block, linear), weight, convolution) };
}

function outputFits(numbers: Numbers, suspect: Suspect, evidence: Evidence): Fit[] {
  const parts = partsOf(suspect, evidence);
  const input = parts?.sources.find(isValue);
  const given = blockOf(input, evidence);
  if (parts === undefined || input === undefined || given === undefined) return [];
  const { convolution, sources, weight } = parts;
  const { linear } = convolution;
  const x = asMaps(given, linear);
  const sides = sidesOf(asMaps({ shape: suspect.shape, data: [] }, linear));
  const held = sources.find(isBias);
  const bias = held && toFloat64(held.record.truth);
  const map = sides[0] * sides[1];
  const of = (x: Block, w: Block, moves: Moves, rim?: Rim) => {
    const plain = convolved(x, w, sides, moves, rim);
    return (at: number): number =>
      plain(at) + (bias?.[Math.floor(at / map) % weight.shape[0]] ?? 0);
  };
  return variantFits(
    numbers,
    of(x, weight, convolution),
    outputVariants(parts, x, input, evidence, of),
  );
}

function* backVariants(
  { convolution, weight }: Parts,
  of: (w: Block, moves: Moves) => (at: number) => number,
): Generator<Variant> {
  const { linear } = convolution;
  for (const { says, weight: other, ...told } of otherWeights(weight, linear))
    yield { ...told, says: `${says} on the way back`, value: of(other, convolution) };
  if (!linear)
    for (const { moves, rim, says, ...told } of otherMoves(convolution, weight.shape))
      if (rim === undefined)
        yield { ...told, says: `${says}, on the way back`, value: of(weight, moves) };
}

function backFits(numbers: Numbers, suspect: Suspect, evidence: Evidence): Fit[] {
  const parts = partsOf(suspect, evidence);
  const sent = parts?.sources.filter(isSent) ?? [];
  const given = blockOf(sent[0], evidence);
  // What several layers send back is a sum.
  if (parts === undefined || given === undefined || sent.length > 1) return [];
  const { linear } = parts.convolution;
  const dy = asMaps(given, linear);
  const sides = sidesOf(asMaps({ shape: suspect.shape, data: [] }, linear));
  const of = (w: Block, moves: Moves) => sentBack(dy, w, sides, moves);
  return variantFits(numbers, of(parts.weight, parts.convolution), backVariants(parts, of));
}

function* weightVariants(
  { convolution }: Parts,
  kernel: readonly number[],
  input: Held,
  sent: Held,
  evidence: Evidence,
  of: (x: Block | undefined, dy: Block | undefined, moves: Moves) => (at: number) => number,
): Generator<Variant> {
  const { linear } = convolution;
  if (!linear)
    for (const { moves, rim, ...told } of otherMoves(convolution, kernel))
      if (rim === undefined) yield { ...told, value: of(undefined, undefined, moves) };
  for (const { name, block } of othersOf(input, evidence))
    yield { ...takenFor(name, input), value: of(asMaps(block, linear), undefined, convolution) };
  for (const { name, block } of othersOf(sent, evidence))
    yield { ...takenFor(name, sent), value: of(undefined, asMaps(block, linear), convolution) };
}

function weightFits(numbers: Numbers, suspect: Suspect, evidence: Evidence): Fit[] {
  const convolution = convolutionOf(layerOf(suspect.what));
  if (convolution === undefined || suspect.shape.length < 2) return [];
  const sources = sourcesOf(suspect, evidence);
  const [input, sent] = [sources.find(isValue), sources.find(isSent)];
  const [given, back] = [blockOf(input, evidence), blockOf(sent, evidence)];
  if (input === undefined || sent === undefined || given === undefined || back === undefined)
    return [];
  const { linear } = convolution;
  const [x, dy] = [asMaps(given, linear), asMaps(back, linear)];
  const kernel = asKernels({ shape: suspect.shape, data: [] }).shape;
  const of = (a: Block | undefined, b: Block | undefined, moves: Moves) =>
    weightSentBack(a ?? x, b ?? dy, kernel, moves);
  const parts = { convolution, sources, weight: { shape: kernel, data: [] } };
  return variantFits(
    numbers,
    of(x, dy, convolution),
    weightVariants(parts, kernel, input, sent, evidence, of),
  );
}

const byKind: { readonly [K in NonNullable<Held['kind']>]?: Hypothesis['fits'] } = {
  output: outputFits,
  prediction: outputFits,
  'output gradient': backFits,
  'weight gradient': weightFits,
};

/** What a convolution or a linear layer does otherwise than the reference's. */
export const convolutionHypotheses: readonly Hypothesis[] = [
  {
    name: 'weighted layer',
    about:
      'a convolution or a linear layer with its weight in another order, padded otherwise, or of another input; forwards and back',
    fits: (numbers, suspect, evidence) =>
      suspect.kind === undefined ? [] : (byKind[suspect.kind]?.(numbers, suspect, evidence) ?? []),
  },
];
