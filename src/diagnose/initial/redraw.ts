import { sizeOf } from '../../tensor/shape.ts';
import type { InitPlan, InitStep } from '../../torch/initialise.ts';

/** A step of a constructor that draws, by its place among all draws. */
export interface Place {
  readonly name: string;
  readonly step: Drawing;
  readonly size: number;
  /** Draws before it, and its own. */
  readonly from: number;
  readonly draws: number;
  /** Whether a later step draws the same tensor anew. */
  readonly overwritten: boolean;
  /** Normals too few for a block, which are drawn otherwise: only how many draws they take is known here. */
  readonly small: boolean;
}

type Drawing = Extract<InitStep, { kind: 'uniform' | 'normal' }>;

/** PyTorch fills float32 normals in blocks, the last 16 once more where they do not come out even. */
const block = 16;
const half = block / 2;

const drawsFor = ({ kind }: Drawing, size: number): number =>
  kind === 'normal' && size % block !== 0 ? size + block : size;

const isDrawing = (step: InitStep): step is Drawing =>
  step.kind === 'uniform' || step.kind === 'normal';

/** Where a constructor draws what, in its order. */
export function placesOf({ shapes, steps }: InitPlan): Place[] {
  const last = new Map(steps.map((step, i) => [step.name, i]));
  const places: Place[] = [];
  let from = 0;
  // Fewer normals than a block come in pairs of four draws; the second of a pair waits for the next who asks.
  let waiting = 0;
  for (const [i, step] of steps.entries()) {
    if (!isDrawing(step)) continue;
    const size = sizeOf(shapes.get(step.name) ?? []);
    const small = step.kind === 'normal' && size < block;
    const missing = Math.max(0, size - waiting);
    const draws = small ? 4 * Math.ceil(missing / 2) : drawsFor(step, size);
    if (small) waiting = missing > 0 ? missing % 2 : waiting - size;
    const overwritten = last.get(step.name) !== i;
    places.push({ name: step.name, step, size, from, draws, overwritten, small });
    from += draws;
  }
  return places;
}

/** A number in [0, 1) of a draw. */
export type Unit = (draw: number) => number;

/** PyTorch's: the low 24 bits. */
export const low24: Unit = (draw) => (draw & 0xffffff) * 2 ** -24;

/** The element at a flat position of a tensor that is drawn from `from` on, in float64. */
export function redrawn(
  { step, size }: Pick<Place, 'step' | 'size'>,
  draws: Uint32Array,
  from: number,
  unit: Unit = low24,
): (position: number) => number {
  if (step.kind === 'uniform') {
    const { bound } = step;
    return (position) => (2 * unit(draws[from + position]) - 1) * bound;
  }
  const { mean, std } = step;
  const tail = size % block === 0 ? size : size - block;
  return (position) => {
    const inTail = position >= tail;
    const inBlock = inTail ? position - tail : position % block;
    const start = from + (inTail ? size : position - inBlock);
    const k = inBlock % half;
    const radius = Math.sqrt(-2 * Math.log(1 - unit(draws[start + k])));
    const angle = 2 * Math.PI * unit(draws[start + k + half]);
    return mean + std * radius * (inBlock < half ? Math.cos(angle) : Math.sin(angle));
  };
}

/** float32 rounds a normal's logarithm, root and cosine. */
const nearUnit = 2e-5;
const proof = 64;

/** The draw from which on a tensor was drawn; undefined where it lies nowhere among them. */
export function foundAt(
  { step, size }: Pick<Place, 'step' | 'size'>,
  ours: Float64Array,
  draws: Uint32Array,
): number | undefined {
  const last = draws.length - drawsFor(step, size);
  const scale = step.kind === 'uniform' ? step.bound : step.std;
  const looked = Math.min(proof, size);
  const agrees = (from: number): boolean => {
    const at = redrawn({ step, size }, draws, from);
    for (let i = 0; i < looked; i++) {
      const position = Math.floor((i * size) / looked);
      if (Math.abs(at(position) - ours[position]) > nearUnit * scale) return false;
    }
    return true;
  };
  const [first, second] = firstUnits(step, ours);
  const apart = step.kind === 'uniform' ? 1 : half;
  for (let from = 0; from <= last; from++) {
    if (Math.abs(low24(draws[from]) - first) > nearUnit) continue;
    if (Math.abs(low24(draws[from + apart]) - second) > nearUnit) continue;
    if (agrees(from)) return from;
  }
  return undefined;
}

/** The uniforms that a tensor's first elements were made of: two in a row, or radius and angle of a pair. */
function firstUnits(step: Drawing, ours: Float64Array): readonly [number, number] {
  if (step.kind === 'uniform') {
    return [(ours[0] / step.bound + 1) / 2, (ours[1] / step.bound + 1) / 2];
  }
  const [x, y] = [ours[0], ours[half]].map((value) => (value - step.mean) / step.std);
  const turns = Math.atan2(y, x) / (2 * Math.PI);
  return [1 - Math.exp(-(x * x + y * y) / 2), turns < 0 ? turns + 1 : turns];
}
